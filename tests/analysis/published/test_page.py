"""The results page agrees with the tables beside it."""

from __future__ import annotations

import re

import pytest

from analysis.published.front_page import summarize_results
from analysis.published.page import RESULTS, render_results_page

PARTS = re.compile(r"(\d+) % \[(\d+), (\d+)\]")
NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?%?")


def test_every_number_on_the_page_comes_from_the_tables() -> None:
    assert_same_but_for_rounding((RESULTS / "README.md").read_text(), render_results_page(RESULTS))


def test_the_readme_agrees_with_the_tables() -> None:
    readme = (RESULTS.parents[1] / "README.md").read_text()
    section = readme.split("## What it found so far", 1)[1].split("\n\n")[1]
    findings = [" ".join(text.split()) for text in section.removeprefix("- ").split("\n- ")]
    for written, made in zip(findings, summarize_results(RESULTS), strict=True):
        assert_same_but_for_rounding(written, made)


def test_every_figure_on_the_page_exists() -> None:
    shown = re.findall(r"!\[[^]]+\]\(([^)]+)\)", (RESULTS / "README.md").read_text())
    assert shown
    assert all((RESULTS / path).read_text().startswith("<svg") for path in shown)


def assert_same_but_for_rounding(written: str, made: str) -> None:
    """Fits, and so the ends of intervals, differ slightly between processors."""
    for ours, theirs in zip(PARTS.findall(written), PARTS.findall(made), strict=True):
        assert list(map(float, ours)) == pytest.approx(list(map(float, theirs)), abs=6.0)
    written, made = PARTS.sub("part", written), PARTS.sub("part", made)
    assert NUMBER.sub("#", written) == NUMBER.sub("#", made)
    for ours, theirs in zip(NUMBER.findall(written), NUMBER.findall(made), strict=True):
        points = {"abs": 6.0} if ours.endswith("%") else {"rel": 0.05, "abs": 0.05}
        assert float(ours.rstrip("%")) == pytest.approx(float(theirs.rstrip("%")), **points)
