"""Sobol' shares against known ones, and the refusal where trials hold no information."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from analysis.importance.closed_forms import (
    BenchmarkFunction,
    list_benchmark_functions,
    make_noise_function,
)
from analysis.importance.sobol import SobolAnalysis, estimate_sobol_shares, min_r2
from analysis.stats.intervals import FloatArray

LIVE = [objective for objective in list_benchmark_functions() if any(objective.total)]


@functools.cache
def analyze(objective: BenchmarkFunction, trials: int, noise: float, seed: int) -> SobolAnalysis:
    rng = np.random.default_rng(seed)
    units, targets = objective.sample_trials(trials, noise, rng)
    return estimate_sobol_shares(units, targets, objective.axes, rng)


@pytest.mark.parametrize("objective", LIVE, ids=lambda objective: objective.name)
def test_shares_are_within_five_points_of_the_truth_and_within_their_intervals(
    objective: BenchmarkFunction,
) -> None:
    importance = analyze(objective, 128, 0.1, seed=1).importance
    assert importance.ranked
    shares = {share.path: share for share in importance.shares}
    for axis, first, total in zip(objective.axes, objective.first, objective.total, strict=True):
        share = shares[axis.path]
        assert share.first == pytest.approx(first, abs=0.05)
        assert share.total == pytest.approx(total, abs=0.05)
        assert share.first_low - 0.02 <= first <= share.first_high + 0.02
        assert share.total_low - 0.02 <= total <= share.total_high + 0.02


@pytest.mark.parametrize("objective", LIVE, ids=lambda objective: objective.name)
def test_an_idle_parameter_ranks_below_every_effective_one(objective: BenchmarkFunction) -> None:
    importance = analyze(objective, 128, 0.1, seed=1).importance
    truth = {a.path: total for a, total in zip(objective.axes, objective.total, strict=True)}
    idle = [s for s in importance.shares if truth[s.path] == 0]
    effective = [s for s in importance.shares if truth[s.path] > 0.05]
    assert not any(share.significant for share in idle)
    assert all(i.rank_low > e.rank_low for i in idle for e in effective)
    assert all(i.total < e.total for i in idle for e in effective)


@pytest.mark.usefixtures("few_resamples")
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("trials", [24, 64])
def test_pure_noise_is_not_ranked(trials: int, seed: int) -> None:
    importance = analyze.__wrapped__(make_noise_function(), trials, 1.0, seed).importance
    assert not importance.significant_shares
    assert "No ranking" in importance.headline()
    assert f"{min_r2(trials):.2f} is needed" in importance.refusal


def test_a_pure_interaction_appears_as_a_pair() -> None:
    objective = next(o for o in LIVE if o.name == "interaction")
    strongest, *others = analyze(objective, 128, 0.1, seed=1).importance.pairs
    assert strongest.paths == ("x0", "x1")
    assert strongest.share == pytest.approx(1.0, abs=0.05)
    assert strongest.low <= strongest.share <= strongest.high
    assert all(pair.share < 0.05 for pair in others)


def test_main_and_pair_variances_add_up_to_the_total() -> None:
    model = analyze(LIVE[0], 128, 0.1, seed=1).model
    assert model is not None
    parts = model.decomposition
    whole = parts.main_variance.sum(axis=0) + 0.5 * parts.pair_variance.sum(axis=(0, 1))
    assert whole == pytest.approx(parts.variance)
    assert (parts.total_variance >= parts.main_variance - 1e-12).all()


@pytest.mark.usefixtures("few_resamples")
def test_the_same_generator_gives_the_same_result() -> None:
    fresh = analyze.__wrapped__
    first, second = (fresh(LIVE[0], 32, 0.1, seed=5).importance for _ in range(2))
    assert first == second


@pytest.mark.usefixtures("few_resamples")
def test_order_of_trials_and_of_columns_does_not_matter() -> None:
    objective = next(o for o in LIVE if o.name == "additive")
    units, targets = objective.sample_trials(64, 0.1, np.random.default_rng(0))
    order = np.random.default_rng(1).permutation(64)
    columns = [3, 1, 4, 0, 2]

    def totals(u: FloatArray, y: FloatArray, axes: tuple[int, ...]) -> dict[str, float]:
        chosen = [objective.axes[j] for j in axes]
        importance = estimate_sobol_shares(
            u[:, axes], y, chosen, np.random.default_rng(3)
        ).importance
        return {share.path: share.total for share in importance.shares}

    plain = totals(units, targets, tuple(range(5)))
    turned = totals(units[order], targets[order], tuple(columns))
    assert turned == pytest.approx(plain, abs=0.03)


@pytest.mark.usefixtures("few_resamples")
def test_adding_a_constant_and_scaling_changes_no_share() -> None:
    units, targets = LIVE[0].sample_trials(64, 0.1, np.random.default_rng(0))
    one = estimate_sobol_shares(units, targets, LIVE[0].axes, np.random.default_rng(1)).importance
    other = estimate_sobol_shares(
        units, 100 + 7 * targets, LIVE[0].axes, np.random.default_rng(1)
    ).importance
    assert [s.path for s in one.shares] == [s.path for s in other.shares]
    assert [s.total for s in one.shares] == pytest.approx([s.total for s in other.shares], abs=0.01)
