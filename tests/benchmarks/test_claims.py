"""A slice of the benchmark of claims: few of them are false, whatever kind they are of."""

from __future__ import annotations

from collections import Counter

import pytest
from claims import score_studies

# Objectives of unlike difficulties; the whole benchmark has all, at three sizes, many times.
SLICE = ("friedman", "collapse in a corner", "categories", "silent failures", "noise")


@pytest.fixture(scope="module")
def verdicts() -> dict[str, Counter[str]]:
    """Kind of claim -> how many were true and false, over two studies of each objective."""
    counts: dict[str, Counter[str]] = {}
    for objective in SLICE:
        for score in score_studies((objective, 48, (0, 1))):
            for kind, (true, false, _) in score.verdicts.items():
                counts.setdefault(kind, Counter()).update(true=true, false=false)
    return counts


def test_few_claims_are_false(verdicts: dict[str, Counter[str]]) -> None:
    true = sum(count["true"] for count in verdicts.values())
    false = sum(count["false"] for count in verdicts.values())
    assert true > 100
    assert false <= 0.05 * (true + false)


@pytest.mark.parametrize("kind", ["state", "breaks", "safe", "best_run"])
def test_counts_and_rates_are_never_false(verdicts: dict[str, Counter[str]], kind: str) -> None:
    assert verdicts[kind]["true"] > 0
    assert verdicts[kind]["false"] == 0
