"""Differences of rates within blocks: a published example, and intervals that hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from analysis.stats.rate_difference import blocked_rate_difference, mantel_haenszel_difference


def test_the_published_example() -> None:
    """Deaths under tolbutamide and placebo in two age groups (Rothman, Modern Epidemiology)."""
    broken, runs = np.array([[8.0, 5.0], [22.0, 16.0]]), np.array([[106.0, 120.0], [98.0, 85.0]])
    estimate, variance = mantel_haenszel_difference(broken, runs)
    half = norm.ppf(0.95) * variance**0.5
    assert (estimate, estimate - half, estimate + half) == pytest.approx(
        (0.0349, -0.0176, 0.0874), abs=1e-4
    )


def test_unlike_designs_are_not_a_difference() -> None:
    """Both levels break alike on each scene; one has most of its runs where everything breaks."""
    runs = np.array([[40, 10], [10, 40]])
    broken = np.array([[36, 9], [1, 4]])
    assert abs(broken[:, 0].sum() / 50 - broken[:, 1].sum() / 50) > 0.4
    assert blocked_rate_difference(broken, runs, 0.95).estimate == pytest.approx(0.0, abs=1e-12)


def test_blocks_without_runs_of_both_tell_nothing() -> None:
    alone = np.array([[3, 1]]), np.array([[10, 10]])
    beside = np.array([[3, 1], [9, 0], [0, 7]]), np.array([[10, 10], [9, 0], [0, 8]])
    assert blocked_rate_difference(*beside, 0.95) == blocked_rate_difference(*alone, 0.95)


def test_no_broken_run_is_no_proof_of_equal_rates() -> None:
    nothing = blocked_rate_difference(np.zeros((6, 2), dtype=int), np.full((6, 2), 8), 0.95)
    assert nothing.estimate == nothing.sign == 0
    assert nothing.low < -0.03
    assert nothing.high > 0.03


@pytest.mark.parametrize(
    ("first", "second", "runs"),
    [
        ([0.02] * 6, [0.02] * 6, [[16, 16]] * 6),
        ([0.1] * 6, [0.0] * 6, [[8, 8]] * 6),
        ([0.0, 0.2, 0.5, 0.8, 0.9, 1.0], [0.0, 0.1, 0.3, 0.6, 0.8, 1.0], [[16, 16]] * 6),
        ([0.0, 0.3, 0.9], [0.0, 0.1, 0.6], [[3, 30], [16, 16], [30, 6]]),
        ([1.0, 0.9, 1.0], [0.0, 0.1, 0.0], [[16, 16]] * 3),
        ([0.6], [0.1], [[40, 40]]),
    ],
)
@pytest.mark.parametrize("confidence", [0.95, 0.995])
def test_intervals_hold_the_difference(
    first: list[float], second: list[float], runs: list[list[int]], confidence: float
) -> None:
    rng = np.random.default_rng(0)
    counts, rates = np.array(runs), np.array([first, second]).T
    weights = counts.prod(axis=1) / counts.sum(axis=1)
    truth = np.average(rates[:, 0] - rates[:, 1], weights=weights)
    held = 0
    for _ in range(1000):
        d = blocked_rate_difference(rng.binomial(counts, rates), counts, confidence)
        assert d.low <= d.estimate <= d.high
        held += d.low <= truth <= d.high
    # Below by two standard errors of the count at most.
    assert held >= 1000 * confidence - 2 * (1000 * confidence * (1 - confidence)) ** 0.5
