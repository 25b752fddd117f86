"""A slice of the benchmark of claims: few of them are false, of any kind."""

from __future__ import annotations

import importlib.util
from collections import Counter
from pathlib import Path

import pytest

# Objectives of unlike difficulties; the whole benchmark has all, at three sizes, many times.
SLICE = ("friedman", "collapse in a corner", "categories", "silent failures", "noise")
COUNTED = ("state", "best_run")  # counts and records, which only a bug makes false

# By its path: the tests of the room `claims` have its name as well.
_SPEC = importlib.util.spec_from_file_location(
    "claims_benchmark", Path(__file__).parents[2] / "benchmarks" / "claims.py"
)
assert _SPEC is not None
assert _SPEC.loader is not None
benchmark = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(benchmark)


@pytest.fixture(scope="module")
def verdicts() -> dict[str, Counter[str]]:
    """Kind of claim -> how many were true and false, over two studies of each objective."""
    counts: dict[str, Counter[str]] = {}
    for objective in SLICE:
        for score in benchmark.score_studies((objective, 48, (0, 1))):
            for kind, (true, false, _) in score.verdicts.items():
                counts.setdefault(kind, Counter()).update(true=true, false=false)
    return counts


def test_few_claims_are_false(verdicts: dict[str, Counter[str]]) -> None:
    inferred = [count for kind, count in verdicts.items() if kind not in COUNTED]
    true, false = (sum(count[key] for count in inferred) for key in ("true", "false"))
    assert true > 80
    assert false <= 0.06 * (true + false)


def test_no_kind_is_often_false(verdicts: dict[str, Counter[str]]) -> None:
    """Of a kind that is false in 5 % one of ten is, and hardly ever three."""
    often = {k: c for k, c in verdicts.items() if c["false"] > max(2, 0.2 * c.total())}
    assert not often


@pytest.mark.parametrize("kind", [*COUNTED, "breaks", "safe"])
def test_counts_and_simultaneous_rates_are_never_false(
    verdicts: dict[str, Counter[str]], kind: str
) -> None:
    assert verdicts[kind]["true"] > 0
    assert verdicts[kind]["false"] == 0
