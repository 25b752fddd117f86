"""Spread between seeds where configurations differ in it: coverage on simulated studies."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.stats.seed_spread import estimate_seed_part, estimate_seed_spread


@pytest.mark.parametrize(("configurations", "runs"), [(4, 2)])
@pytest.mark.parametrize("tau", [0.0, 1.0])
def test_intervals_cover_the_typical_deviation(configurations: int, runs: int, tau: float) -> None:
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(30):
        deviations = 0.2 * np.exp(tau * rng.normal(size=(configurations, 1)))
        spread = estimate_seed_spread(list(deviations * rng.normal(size=(configurations, runs))))
        assert spread is not None
        assert spread.low < spread.deviation < spread.high
        covered.append(spread.low <= 0.2 <= spread.high)
    assert np.mean(covered) >= 0.85


def test_it_is_a_median_that_one_wild_configuration_hardly_moves() -> None:
    rng = np.random.default_rng(1)
    groups = list(0.1 * rng.normal(size=(12, 3)))
    before = estimate_seed_spread(groups)
    after = estimate_seed_spread([*groups, np.array([0.0, 8.0])])
    assert before is not None
    assert after is not None
    assert after.deviation == pytest.approx(before.deviation, rel=0.5)
    assert after.largest == pytest.approx(8.0 / 2**0.5)
    assert (after.configurations, after.runs) == (13, 38)


def test_single_runs_do_not_count_and_equal_ones_do() -> None:
    pair, single = np.array([20.0, 20.1]), np.array([20.0])
    assert estimate_seed_spread([pair, pair, single, single]) is None
    spread = estimate_seed_spread([pair, pair, np.array([20.0, 20.0])])
    assert spread is not None
    assert spread.smallest == 0.0
    assert 0.0 < spread.low < spread.high


@pytest.mark.parametrize("part", [0.1, 0.6])
@pytest.mark.parametrize("tau", [0.0, 1.0])
def test_intervals_cover_the_part_of_the_variance(part: float, tau: float) -> None:
    rng = np.random.default_rng(2)
    covered = []
    for _ in range(20):
        deviations = np.exp(tau * rng.normal(size=40) - tau**2) * part**0.5
        first, again = rng.normal(size=(2, 40)) * deviations
        pairs = [np.array(pair) for pair in zip(first[:8], again[:8], strict=True)]
        seeds = estimate_seed_part(pairs, rng.normal(size=40) * (1 - part) ** 0.5 + first)
        assert seeds is not None
        assert 0.0 <= seeds.low <= seeds.share <= seeds.high <= 1.0
        covered.append(seeds.low <= part <= seeds.high)
    assert np.mean(covered) >= 0.85


def test_there_is_no_part_without_variance_or_repeats() -> None:
    pairs = [np.array([1.0, 2.0])] * 3
    assert estimate_seed_part(pairs, np.full(9, 20.0)) is None
    assert estimate_seed_part(pairs[:2], np.arange(9.0)) is None
    assert estimate_seed_part([1e6 * pair for pair in pairs], np.arange(9.0)) is None
