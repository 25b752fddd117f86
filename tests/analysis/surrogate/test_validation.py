"""Cross-validation: what it says of unseen trials is so."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.importance.closed_forms import (
    BenchmarkFunction,
    list_benchmark_functions,
    make_noise_function,
)
from analysis.surrogate.gaussian_process import TrainingData, find_mode
from analysis.surrogate.validation import cross_validate, random_folds


def draw_trials(function: BenchmarkFunction, trials: int, seed: int) -> TrainingData:
    rng = np.random.default_rng(seed)
    units = rng.random((trials, len(function.axes)))
    targets = function.evaluate(units)
    noise = 0.5 * (float(targets.std()) or 1.0)
    targets = targets + noise * rng.normal(size=trials)
    return TrainingData(function.axes, units, targets, random_folds(trials, rng))


def test_folds_are_equal_in_size_and_all_are_used() -> None:
    folds = random_folds(53, np.random.default_rng(0))
    assert sorted(np.bincount(folds)) == [10, 10, 11, 11, 11]


def test_the_r2_is_that_of_trials_that_were_not_seen() -> None:
    function = next(f for f in list_benchmark_functions() if f.name == "parabolas")
    shown, true = [], []
    for seed in range(8):
        data = draw_trials(function, 60, seed)
        shown.append(cross_validate(data, "5/2", np.random.default_rng(0)))
        unseen = draw_trials(function, 400, 100 + seed)
        error = unseen.targets - find_mode(data, "5/2").condition(data).predict(unseen.units)
        true.append(1.0 - float(np.mean(error**2) / unseen.targets.var()))
    assert np.mean(shown) == pytest.approx(np.mean(true), abs=0.08)
    assert np.mean(shown) > 0.3


def test_pure_noise_has_no_r2() -> None:
    """Hyperparameters that had seen the trials left out would show one."""
    function = make_noise_function()
    shown = [
        cross_validate(draw_trials(function, 48, seed), "5/2", np.random.default_rng(0))
        for seed in range(8)
    ]
    assert max(shown) < 0.25
    assert np.mean(shown) < 0.02


def test_folds_of_equal_results_are_predicted_by_their_mean() -> None:
    data = draw_trials(make_noise_function(), 20, 0)
    targets = np.where(data.folds == 0, 1.0, 0.0)
    data = TrainingData(data.axes, data.units, targets, data.folds)
    assert cross_validate(data, "5/2", np.random.default_rng(0)) < 0.0
