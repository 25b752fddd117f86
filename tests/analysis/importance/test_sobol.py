"""Shares against known ones, and the refusal where trials hold no information.

Shares are of the variance of results: the truth is that of the function, times the function's part.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest

from analysis.importance.closed_forms import (
    BenchmarkFunction,
    list_benchmark_functions,
    make_cliff_function,
    make_noise_function,
)
from analysis.importance.shares import Importance
from analysis.importance.sobol import (
    PureError,
    SobolAnalysis,
    estimate_sobol_shares,
    min_r2,
)
from analysis.importance.summarize_draws import loosen
from analysis.stats.intervals import FloatArray
from analysis.surrogate.gaussian_process import QUICK
from analysis.surrogate.unit_cube import Axis

LIVE = [objective for objective in list_benchmark_functions() if any(objective.total)]
NOISE = 0.2  # of the function's standard deviation
EXPLAINED = 1.0 / (1.0 + NOISE**2)

of_all = pytest.mark.parametrize("objective", LIVE, ids=lambda objective: objective.name)


@functools.cache
def analyze(objective: BenchmarkFunction, trials: int, noise: float, seed: int) -> SobolAnalysis:
    rng = np.random.default_rng(seed)
    units, targets = objective.sample_trials(trials, noise, rng)
    return estimate_sobol_shares(units, targets, objective.axes, rng)


def axes(count: int) -> tuple[Axis, ...]:
    return tuple(Axis(f"x{j}", f"x{j}") for j in range(count))


@of_all
def test_shares_are_near_the_truth(objective: BenchmarkFunction) -> None:
    importance = analyze(objective, 128, NOISE, seed=1).importance
    assert importance.ranked
    shares = {share.path: share for share in importance.shares}
    for axis, first, total in zip(objective.axes, objective.first, objective.total, strict=True):
        share = shares[axis.path]
        assert share.alone == pytest.approx(EXPLAINED * first, abs=0.075)
        assert share.share == pytest.approx(EXPLAINED * total, abs=0.075)


def test_intervals_hold_the_truth() -> None:
    inside = []
    for objective in LIVE:
        truth = zip(objective.axes, objective.first, objective.total, strict=True)
        shares = {s.path: s for s in analyze(objective, 128, NOISE, seed=1).importance.shares}
        for axis, first, total in truth:
            share = shares[axis.path]
            inside.append(share.alone_low <= EXPLAINED * first <= share.alone_high)
            inside.append(share.share_low <= EXPLAINED * total <= share.share_high)
    assert len(inside) == 92
    assert np.mean(inside) > 0.94


@of_all
def test_parts_add_up_to_one(objective: BenchmarkFunction) -> None:
    """Also where there are no interactions, to the last digit."""
    importance = analyze(objective, 128, NOISE, seed=1).importance
    assert sum(part.share for part in importance.parts) == pytest.approx(1.0)
    assert all(0.0 <= p.low <= p.share <= p.high <= 1.0 for p in importance.parts)
    assert [p.name for p in importance.parts[-2:]] == ["interactions", "unexplained"]
    assert all(s.alone <= s.share + 1e-12 for s in importance.shares)


@of_all
def test_an_idle_parameter_ranks_below_every_effective_one(objective: BenchmarkFunction) -> None:
    importance = analyze(objective, 128, NOISE, seed=1).importance
    truth = {a.path: total for a, total in zip(objective.axes, objective.total, strict=True)}
    idle = [s for s in importance.shares if truth[s.path] == 0]
    effective = [s for s in importance.shares if truth[s.path] > 0.05]
    assert not any(share.significant for share in idle)
    assert all(share.significant for share in effective)
    assert all(i.share < e.share and i.rank_low > e.rank_low for i in idle for e in effective)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("trials", [36, 72])
def test_pure_noise_is_not_ranked(trials: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    noise = make_noise_function()
    units, targets = noise.sample_trials(trials, 1.0, rng)
    importance = estimate_sobol_shares(units, targets, noise.axes, rng, effort=QUICK).importance
    assert not importance.significant_shares
    assert not importance.ranked
    assert f"{min_r2(trials):.2f} is needed" in importance.refusal


def test_a_pure_interaction_appears_as_a_pair() -> None:
    objective = next(o for o in LIVE if o.name == "interaction")
    strongest, *others = analyze(objective, 128, NOISE, seed=1).importance.pairs
    assert strongest.paths == ("x0", "x1")
    assert strongest.share == pytest.approx(EXPLAINED, abs=0.03)
    assert strongest.low <= EXPLAINED <= strongest.high
    assert strongest.significant
    assert not any(pair.significant or pair.share > 0.03 for pair in others)


def test_a_three_way_interaction_is_right() -> None:
    """Each of three axes has an effect only jointly with both others: no pair has one."""
    rng = np.random.default_rng(0)
    units = rng.random((128, 6))
    clean = np.prod(2.0 * units[:, :3] - 1.0, axis=1)
    noise = 0.2 * clean.std()
    importance = estimate_sobol_shares(
        units, clean + noise * rng.normal(size=128), axes(6), rng
    ).importance
    assert importance.ranked
    shares = {share.path: share for share in importance.shares}
    for j in range(3):
        share = shares[f"x{j}"]
        assert share.share_low <= EXPLAINED <= share.share_high
        assert share.share == pytest.approx(EXPLAINED, abs=0.03)
        assert share.alone < 0.02
    assert not any(shares[f"x{j}"].significant for j in range(3, 6))
    assert all(pair.share < 0.03 for pair in importance.pairs)
    assert importance.interactions is not None
    assert importance.interactions.share == pytest.approx(EXPLAINED, abs=0.04)


def test_a_pair_of_five_level_choices_with_a_table_of_its_own_is_right() -> None:
    choices = tuple(
        Axis(p, p, tuple((i + 0.5) / 5 for i in range(5)), (0.2, 0.4, 0.6, 0.8), unordered=True)
        for p in ("a", "b")
    )
    rng = np.random.default_rng(2)
    table = rng.normal(size=(5, 5))
    units = rng.random((128, 4))
    units[:, :2] = np.column_stack([c.snap(units[:, j]) for j, c in enumerate(choices)])
    levels = (units[:, :2] * 5).astype(int)
    targets = table[levels[:, 0], levels[:, 1]] + 0.2 * table.std() * rng.normal(size=128)
    importance = estimate_sobol_shares(units, targets, (*choices, *axes(2)), rng).importance
    rows, columns = table.mean(axis=1).var(), table.mean(axis=0).var()
    truth = {"a": 1.0 - columns / table.var(), "b": 1.0 - rows / table.var(), "x0": 0.0, "x1": 0.0}
    for share in importance.shares:
        assert share.share_low <= EXPLAINED * truth[share.path] <= share.share_high
        assert share.share == pytest.approx(EXPLAINED * truth[share.path], abs=0.07)


def test_exactly_the_parameters_with_an_effect_are_significant_about_a_cliff() -> None:
    """A slope, a product and a cliff over twelve axes, most of them idle."""
    cliff, rng = make_cliff_function(), np.random.default_rng(0)
    units, targets = cliff.sample_trials(200, 0.3, rng)
    importance = estimate_sobol_shares(units, targets, cliff.axes, rng, effort=QUICK).importance
    significant = {share.path for share in importance.significant_shares}
    assert significant == {"x0", "x2", "x3", "x4", "x5"}


def test_shares_are_taken_under_the_density_of_the_axes() -> None:
    """Beyond 0.6 no run trains; the slope within is what counts, not the cliff."""
    rng = np.random.default_rng(3)
    trained = (*axes(1), Axis("x1", "x1"))
    trained = (Axis("x0", "x0", density=(1.0, 1.0, 1.0, 0.0, 0.0)), trained[1])
    units = rng.random((96, 2))
    units[:, 0] *= 0.6
    targets = units[:, 0] + units[:, 1] + 0.05 * rng.normal(size=96)
    parts = {"x0": 0.36 / 12, "x1": 1 / 12}
    whole = sum(parts.values()) + 0.05**2
    for share in estimate_sobol_shares(units, targets, trained, rng).importance.shares:
        assert share.share == pytest.approx(parts[share.path] / whole, abs=0.05)


def test_a_surrogate_that_misses_what_seeds_do_not_explain_is_refused() -> None:
    """Repeated runs differ by much less than runs differ from the surrogate."""
    rng = np.random.default_rng(4)
    units = rng.random((64, 3))
    targets = 3.0 * units[:, 0] + 0.6 * rng.normal(size=64)
    plain = estimate_sobol_shares(units, targets, axes(3), np.random.default_rng(0))
    assert plain.importance.ranked
    honest, exact = (
        estimate_sobol_shares(
            units, targets, axes(3), np.random.default_rng(0), pure_error=PureError(squares, 12)
        ).importance
        for squares in (12 * 0.6**2, 12 * 0.05**2)
    )
    assert honest.ranked
    assert "F test of lack of fit" in exact.refusal
    assert exact.shares == plain.importance.shares  # shown, not claimed
    assert not exact.significant_shares


def test_loosened_intervals_are_wider_about_the_same_shares() -> None:
    importance = analyze(LIVE[2], 128, NOISE, seed=1).importance
    for before, after in zip(importance.shares, loosen(importance).shares, strict=True):
        assert after.share == before.share
        assert after.share_low <= before.share_low
        assert before.share_high <= after.share_high <= 1.0
        assert after.alone_low <= before.alone_low <= before.alone_high <= after.alone_high


def test_the_same_generator_gives_the_same_result() -> None:
    fresh = analyze.__wrapped__
    first, second = (fresh(LIVE[0], 36, 0.1, seed=5).importance for _ in range(2))
    assert first == second


def shares_of(units: FloatArray, targets: FloatArray, chosen: list[Axis]) -> dict[str, float]:
    importance = estimate_sobol_shares(
        units, targets, chosen, np.random.default_rng(3), effort=QUICK
    ).importance
    return {share.path: share.share for share in importance.shares}


def test_order_of_trials_and_of_columns_does_not_matter() -> None:
    objective = next(o for o in LIVE if o.name == "additive")
    units, targets = objective.sample_trials(64, 0.1, np.random.default_rng(0))
    order, columns = np.random.default_rng(1).permutation(64), [3, 1, 4, 0, 2]
    plain = shares_of(units, targets, list(objective.axes))
    turned = shares_of(
        units[order][:, columns], targets[order], [objective.axes[j] for j in columns]
    )
    assert turned == pytest.approx(plain, abs=0.03)


def test_adding_a_constant_and_scaling_changes_no_share() -> None:
    units, targets = LIVE[0].sample_trials(64, 0.1, np.random.default_rng(0))
    plain = shares_of(units, targets, list(LIVE[0].axes))
    scaled = shares_of(units, 100.0 + 7.0 * targets, list(LIVE[0].axes))
    assert scaled == pytest.approx(plain, abs=0.01)


def test_few_runs_are_refused_unless_parameters_are_few_as_well() -> None:
    rng = np.random.default_rng(0)
    units = rng.random((28, 4))
    targets = units[:, 0] + 0.05 * rng.normal(size=28)

    def fit(runs: int, parameters: int) -> Importance:
        chosen = axes(parameters)
        return estimate_sobol_shares(
            units[:runs, :parameters], targets[:runs], chosen, rng, effort=QUICK
        ).importance

    assert "28 runs are too few to tell 4 parameters apart" in fit(28, 4).refusal
    assert fit(28, 2).trials == 28
    assert fit(28, 2).parts
    assert fit(11, 1).parts == ()


def test_results_that_are_not_finite_are_left_out() -> None:
    units, targets = LIVE[0].sample_trials(64, 0.1, np.random.default_rng(0))
    broken = targets.copy()
    broken[[3, 40]] = np.nan, -np.inf
    importance = estimate_sobol_shares(
        units, broken, LIVE[0].axes, np.random.default_rng(1), effort=QUICK
    ).importance
    assert importance.trials == 62
