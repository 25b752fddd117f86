"""What every page has in common."""

from __future__ import annotations

import pytest

from analysis.pages.templating import TableView, render_template

SPACE = "\u00a0"


def page_with(text: str) -> str:
    table = TableView(["claim"], [[text]])
    return str(render_template("claims.html", table=table, noun="runs"))


@pytest.mark.parametrize("text", ["19 %", "0.76 dB", "+3 points", "2 s", "578 MiB", "3 h"])
def test_no_line_ends_between_a_number_and_its_unit(text: str) -> None:
    assert f"far {text.replace(' ', SPACE)} [13, 43]" in page_with(f"far {text} [13, 43]")


@pytest.mark.parametrize("text", ["3 seeds", "64 explored runs", "near % far"])
def test_words_may_stand_on_the_next_line(text: str) -> None:
    assert text in page_with(text)
