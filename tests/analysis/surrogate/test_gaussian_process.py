"""The process against the posterior in full matrices, and its uncertainty against the truth."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.importance.closed_forms import list_benchmark_functions
from analysis.stats.intervals import INTERVAL_QUANTILES, FloatArray
from analysis.surrogate import kernel
from analysis.surrogate.base import TrainingData
from analysis.surrogate.model_selection import GaussianProcessFamily
from analysis.surrogate.unit_cube import Axis

AXES = (Axis("a", "a"), Axis("b", "b"), Axis("c", "c", (0.25, 0.75), (0.5,), unordered=True))


def sample(trials: int, noise: float, rng: np.random.Generator) -> TrainingData:
    units = np.column_stack([axis.snap(rng.random(trials)) for axis in AXES])
    targets = np.sin(5 * units[:, 0]) + units[:, 1] * units[:, 2] + noise * rng.normal(size=trials)
    return TrainingData(AXES, units, targets)


def posterior(process: object, points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and variance by the textbook (Eq. 2.25 and 2.26 of Rasmussen and Williams, 2006)."""
    axes, units, y, logs = process.axes, process.units, process.targets, process.log_params  # type: ignore[attr-defined]

    def k(a: FloatArray, b: FloatArray) -> FloatArray:
        return kernel.covariance(logs[:-1], kernel.squared_distances(a, b, axes))

    system = np.linalg.inv(k(units, units) + np.exp(logs[-1]) * np.eye(len(y)))
    centred = y - y.mean()
    scale = centred @ system @ centred / len(y)
    across = k(points, units)
    spread = k(points, points) - across @ system @ across.T
    return y.mean() + across @ system @ centred, scale * np.diag(spread)


def test_prediction_is_the_posterior_mean() -> None:
    rng = np.random.default_rng(0)
    process = GaussianProcessFamily().fit(sample(30, 0.1, rng), rng)
    points = sample(20, 0.0, rng).units
    mean, _ = posterior(process, points)
    assert process.predict(points)[:, 0] == pytest.approx(mean, abs=1e-4)


def test_drawn_functions_have_the_variance_of_the_posterior() -> None:
    """Bootstrap samples and drawn parameters only add to what the posterior leaves open."""
    rng = np.random.default_rng(1)
    process = GaussianProcessFamily().fit(sample(40, 0.2, rng), rng)
    points = sample(200, 0.0, rng).units
    mean, variance = posterior(process, points)
    drawn = process.resample(400, rng).predict(points)
    deviations = drawn.std(axis=1) / np.sqrt(variance)
    assert 0.8 < np.median(deviations) < 2.0
    assert np.median(np.abs(drawn.mean(axis=1) - mean) / np.sqrt(variance)) < 1.0


def test_drawn_shares_cover_the_truth_of_a_function_that_the_process_cannot_fit() -> None:
    """Sobol' g has kinks and products of all axes; a bootstrap alone missed these two shares in
    24 % and 20 % of studies."""
    objective = next(o for o in list_benchmark_functions() if o.name == "Sobol' g")
    covered = []
    for seed in range(25):
        rng = np.random.default_rng(seed)
        units, targets = objective.sample_trials(128, 0.1, rng)
        data = TrainingData(objective.axes, units, targets)
        process = GaussianProcessFamily().fit(data, rng, quick=True)
        parts = process.resample(60, rng).decompose()
        for truth, drawn in (
            (objective.first[0], parts.first_shares[0]),
            (objective.total[2], parts.total_shares[2]),
        ):
            low, high = np.quantile(drawn, INTERVAL_QUANTILES)
            covered.append(low - 0.005 <= truth <= high + 0.005)
    assert np.mean(covered) >= 0.9


def test_trials_of_the_same_configuration_are_pooled() -> None:
    rng = np.random.default_rng(2)
    once = sample(20, 0.3, rng)
    twice = once.subset(np.repeat(np.arange(20), 2))
    process = GaussianProcessFamily().fit(twice, rng)
    assert np.isfinite(process.predict(once.units)).all()
    assert np.isfinite(process.resample(20, rng).decompose().total_shares).all()
