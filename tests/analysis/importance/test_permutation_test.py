"""Permutation tests: false positives, power, directions, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.importance.closed_forms import (
    BenchmarkFunction,
    list_benchmark_functions,
    make_noise_function,
)
from analysis.importance.permutation_test import PermutationTest, run_permutation_tests
from analysis.surrogate.unit_cube import Axis


def run_tests(
    objective: BenchmarkFunction, trials: int, noise: float, seed: int
) -> dict[str, PermutationTest]:
    rng = np.random.default_rng(seed)
    units, targets = objective.sample_trials(trials, noise, rng)
    return {
        signal.path: signal for signal in run_permutation_tests(units, targets, objective.axes, rng)
    }


def named(objective: str) -> BenchmarkFunction:
    return next(o for o in list_benchmark_functions() if o.name == objective)


def test_with_pure_noise_few_studies_have_a_significant_parameter() -> None:
    hits = [
        any(s.significant for s in run_tests(make_noise_function(), 24, 1.0, seed).values())
        for seed in range(60)
    ]
    assert sum(hits) <= 7  # 5 % of studies; 7 of 60 or fewer in 98 % of suites


def test_idle_parameters_beside_a_strong_one_are_not_significant() -> None:
    """A design of 24 points is never even: what x0 does shows against others until taken out."""
    sparse = named("sparse")
    strong, idle = 0, 0
    for seed in range(20):
        signal = run_tests(sparse, 24, 0.3, seed)
        strong += signal["x0"].significant
        idle += sum(signal[f"x{j}"].significant for j in range(2, 12))
    assert strong >= 19
    assert idle <= 5


def test_the_direction_is_given_only_for_monotone_effects() -> None:
    rng = np.random.default_rng(0)
    units = rng.random((30, 3))
    axes = (Axis("up", "up"), Axis("down", "down"), Axis("hump", "hump"))
    targets = 5 * units[:, 0] - 3 * units[:, 1] - 20 * (units[:, 2] - 0.5) ** 2
    up, down, hump = (
        next(s for s in run_permutation_tests(units, targets, axes, rng) if s.path == a.path)
        for a in axes
    )
    assert "more is better" in up.description
    assert "less is better" in down.description
    assert hump.significant
    assert "is better" not in hump.description


def test_a_choice_is_significant_and_has_no_direction() -> None:
    axis = Axis("act", "act", (1 / 6, 0.5, 5 / 6), (1 / 3, 2 / 3), unordered=True)
    rng = np.random.default_rng(1)
    units = axis.snap(rng.random(30))[:, None]
    targets = np.where(units[:, 0] == 0.5, 3.0, 0.0) + rng.normal(size=30)
    (signal,) = run_permutation_tests(units, targets, (axis,), rng)
    assert signal.significant
    assert (signal.low, signal.high) == (-1.0, 1.0)


@pytest.mark.parametrize("scale", [1.0, -1e6, 1e-6])
def test_only_the_order_of_results_matters(scale: float) -> None:
    rng = np.random.default_rng(2)
    units, targets = named("additive").sample_trials(32, 0.2, rng)
    axes = named("additive").axes
    plain = run_permutation_tests(units, targets, axes, np.random.default_rng(0))
    bent = run_permutation_tests(units, scale * np.exp(targets), axes, np.random.default_rng(0))
    if scale > 0:
        assert bent == plain
    else:
        assert [s.correlation for s in bent] == pytest.approx([-s.correlation for s in plain])


def test_too_few_or_equal_results_are_not_tested() -> None:
    units, targets = named("additive").sample_trials(9, 0.1, np.random.default_rng(0))
    axes, rng = named("additive").axes, np.random.default_rng(0)
    assert run_permutation_tests(units, targets, axes, rng) == ()
    assert run_permutation_tests(np.tile(units, (3, 1)), np.ones(27), axes, rng) == ()
    assert run_permutation_tests(units[:0], targets[:0], axes, rng) == ()
