"""The hint for a misspelt word, and what follows it."""

from __future__ import annotations

import pytest

from nerf.common.errors import closest


@pytest.mark.parametrize(
    ("word", "more", "hint"),
    [
        ("widht", "", "; did you mean width?"),
        ("widht", "it has a width", "; did you mean width? It has a width"),
        ("zzz", "it has a width", "; it has a width"),
        ("zzz", "", ""),
    ],
)
def test_a_question_is_followed_by_a_sentence(word: str, more: str, hint: str) -> None:
    assert closest(word, ["width"], more) == hint
