"""Intervals of rates by simulated coverage, Monte Carlo p-values against enumeration."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from analysis.stats.rates import (
    bonferroni_confidence,
    clopper_pearson_interval,
    sample_fisher_p_value,
)


@pytest.mark.parametrize(
    ("successes", "total"),
    [(0, 1), (1, 1), (0, 10), (3, 10), (10, 10), (1, 200), (199, 200), (49, 49), (7, 49)],
)
@pytest.mark.parametrize("confidence", [0.95, 0.9875])
def test_the_interval_matches_scipy(successes: int, total: int, confidence: float) -> None:
    reference = stats.binomtest(successes, total).proportion_ci(confidence, method="exact")
    interval = clopper_pearson_interval(successes, total, confidence)
    assert interval == pytest.approx((reference.low, reference.high), abs=1e-9)


def test_the_interval_without_trials_is_0_to_1() -> None:
    assert clopper_pearson_interval(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize("levels", [1, 4, 24])
@pytest.mark.parametrize("total", [2, 5, 12, 32, 60])
def test_the_interval_covers_every_rate_as_often_as_it_claims(total: int, levels: int) -> None:
    """Exactly, not by samples: the probability of every count whose interval holds the rate."""
    confidence = bonferroni_confidence(levels)
    counts = np.arange(total + 1)
    low, high = np.array([clopper_pearson_interval(int(k), total, confidence) for k in counts]).T
    rates = np.linspace(0, 1, 501)[:, None]
    holds = (low <= rates) & (rates <= high)
    coverage = (stats.binom(total, rates).pmf(counts) * holds).sum(axis=1)
    assert coverage.min() >= confidence - 1e-9


@pytest.mark.parametrize("table", [[[8, 2], [1, 5]], [[10, 0], [9, 1]], [[3, 3], [3, 3]]])
def test_sampled_p_value_matches_fishers_exact_test(table: list[list[int]]) -> None:
    exact = stats.fisher_exact(table).pvalue
    assert sample_fisher_p_value([np.array(table)], np.random.default_rng(0)) == pytest.approx(
        exact, abs=0.02
    )


def test_p_value_of_three_groups_matches_enumeration() -> None:
    """The reference enumerates every table with the same margins."""
    table = np.array([[5, 1], [2, 4], [0, 6]])
    totals, collapsed = table.sum(axis=1), int(table[:, 1].sum())
    every = [k for k in itertools.product(*(range(t + 1) for t in totals)) if sum(k) == collapsed]
    chance = [
        np.prod([stats.binom(t, 0.5).pmf(k) for t, k in zip(totals, row, strict=True)])
        for row in every
    ]
    seen = chance[every.index(tuple(table[:, 1]))]
    exact = sum(c for c in chance if c <= seen * (1 + 1e-9)) / sum(chance)
    assert sample_fisher_p_value([table], np.random.default_rng(0)) == pytest.approx(
        exact, abs=0.01
    )


def test_p_value_of_two_strata_matches_enumeration() -> None:
    """Neither table is rare alone; the reference multiplies the hypergeometric chances of both."""
    tables = [np.array([[4, 1], [1, 3]]), np.array([[5, 1], [2, 3]])]
    chances = [
        {
            k: stats.hypergeom(t.sum(), t[:, 1].sum(), t[1].sum()).pmf(k)
            for k in range(t[1].sum() + 1)
        }
        for t in tables
    ]
    seen = np.prod([chance[t[1, 1]] for chance, t in zip(chances, tables, strict=True)])
    joint = [a * b for a in chances[0].values() for b in chances[1].values()]
    exact = sum(c for c in joint if c <= seen * (1 + 1e-9))
    assert sample_fisher_p_value(tables, np.random.default_rng(0)) == pytest.approx(
        exact, abs=0.015
    )
