"""The page about the flagship studies says what the tables beside it say."""

from __future__ import annotations

import re

import pytest

from analysis.flagship import RESULTS, document

NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?")


def test_every_number_on_the_page_comes_from_the_tables() -> None:
    written, made = (RESULTS / "README.md").read_text(), document(RESULTS)
    assert NUMBER.sub("#", written) == NUMBER.sub("#", made)
    # Fits end a little differently on other processors.
    numbers = [list(map(float, NUMBER.findall(text))) for text in (written, made)]
    assert numbers[0] == pytest.approx(numbers[1], rel=0.05, abs=0.02)
