"""Lines for a terminal: words stay whole, and so do commands."""

from __future__ import annotations

import pytest

from nerf.common.printed_lines import wrap_line

SENTENCE = "What breaks: 50 % [12, 88] of 6 runs break; no parameter clearly decides which."


def test_a_sentence_is_broken_between_words() -> None:
    lines = wrap_line(SENTENCE, 40).split("\n")
    assert len(lines) == 3
    assert max(map(len, lines)) <= 40
    assert " ".join(lines) == SENTENCE


@pytest.mark.parametrize(
    "line",
    [
        "  python nerf/train.py --scene bricks --set sampling.near=1.7561 --set field.width=112",
        "not running; resume with: nerf-sweep --studies /data/studies --name first --resume",
        "",
    ],
)
def test_a_line_with_a_command_is_not_broken(line: str) -> None:
    assert wrap_line(line, 40) == line


def test_a_long_path_stays_whole() -> None:
    path = "/data/" + "x" * 60
    assert wrap_line(f"report: {path}", 40) == f"report:\n{path}"
