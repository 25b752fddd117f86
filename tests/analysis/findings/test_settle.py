"""Whether a look settles a claim."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.findings.breaking import BreakingAnalysis, analyze_breaking
from analysis.findings.settle import judge
from analysis.importance.shares import Importance, SobolShare
from study.spec.parse_space import parse_space
from study.spec.stopping_rule import StoppingRule

LR, NEAR = "optimisation.learning_rate", "sampling.near"
SPACE = parse_space([LR, f"{NEAR}=0.5:5"], {})


def share(path: str, low: float, middle: float, high: float, ranks: str) -> SobolShare:
    first, last = int(ranks[0]), int(ranks[-1])
    return SobolShare(path, path, middle, low, high, middle, low, high, first, first, last)


def ranking(*shares: SobolShare, refusal: str = "") -> Importance:
    return Importance(shares, (), None, None, 64, 0.9, refusal)


def breaking(threshold: float) -> BreakingAnalysis:
    """Of 60 runs that collapse where near is above a threshold, a part of its range."""
    units = (np.arange(60) + 0.5) / 60
    near, rate = (SPACE.dimensions[j] for j in (1, 0))
    trials = pd.DataFrame(
        {
            NEAR: [near.from_unit(u) for u in units],
            LR: [rate.from_unit(u) for u in np.random.default_rng(0).permutation(units)],
            "outcome": np.where(units > threshold, "collapsed", "trained"),
            "phase": "explore",
        }
    )
    return analyze_breaking(trials, SPACE.dimensions, np.random.default_rng(0))


NARROW = ranking(share(LR, 0.6, 0.7, 0.78, "11"), share(NEAR, 0.1, 0.2, 0.29, "22"))
WIDE = ranking(share(LR, 0.4, 0.7, 0.78, "12"), share(NEAR, 0.005, 0.2, 0.29, "12"))
REFUSED = ranking(*NARROW.shares, refusal="no surrogate predicts.")
FLAT = ranking(share(LR, 0.6, 0.7, 0.78, "11"), share(NEAR, 0.0, 0.02, 0.04, "22"))


@pytest.mark.parametrize(
    ("rule", "importance", "is_settled", "text"),
    [
        ("sure 0.1", NARROW, True, f"{LR} 70 % [60, 78], {NEAR} 20 % [10, 29]"),
        ("sure 0.05", NARROW, False, "[60, 78]"),
        ("sure 0.1", WIDE, False, "[40, 78]"),
        ("sure 0.4", REFUSED, False, "no surrogate predicts"),
        ("order", NARROW, True, f"{LR} rank 1, {NEAR} rank 2"),
        ("order", WIDE, False, f"{LR} rank 1 to 2"),
        (f"{NEAR} matters", NARROW, True, f"{NEAR} 20 %"),
        (f"{NEAR} matters", WIDE, False, f"{NEAR} 20 %"),
        (f"{NEAR} matters", FLAT, True, f"{NEAR} 2 % [0, 4]"),
    ],
)
def test_shares(rule: str, importance: Importance, is_settled: bool, text: str) -> None:
    verdict = judge(StoppingRule.parse(rule), importance, breaking(2.0), looks=7)
    assert verdict.is_settled == is_settled
    assert text in verdict.text
    assert not verdict.text.endswith(".")


def test_what_breaks_is_settled_by_a_test_that_allows_for_all_looks() -> None:
    rule = StoppingRule.parse(f"{NEAR} breaks")
    clear = judge(rule, NARROW, breaking(0.7), looks=7)
    assert clear.is_settled
    assert "break" in clear.text
    assert not judge(StoppingRule.parse(f"{LR} breaks"), NARROW, breaking(0.7), 7).is_settled
    none = judge(rule, NARROW, breaking(2.0), looks=7)
    assert (none.is_settled, "none of 60 explored runs" in none.text) == (False, True)
    p_value = next(p.p_value for p in breaking(0.93).parameters if p.path == NEAR)
    between = int(0.05 / p_value) + 1
    assert not judge(rule, NARROW, breaking(0.93), looks=between).is_settled
    assert judge(rule, NARROW, breaking(0.93), looks=max(between - 2, 1)).is_settled
