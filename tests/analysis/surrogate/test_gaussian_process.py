"""The process against the textbook in full matrices, its draws against its posterior."""

from __future__ import annotations

import dataclasses
import functools
import itertools

import numpy as np
import pytest

from analysis.stats.intervals import FloatArray
from analysis.surrogate import gaussian_process, posterior_draws
from analysis.surrogate.gaussian_process import (
    FULL,
    GaussianProcess,
    TrainingData,
    find_mode,
    fit_gaussian_process,
)
from analysis.surrogate.kernel import Hyperparameters, covariance
from analysis.surrogate.log_posterior import JITTER
from analysis.surrogate.posterior_draws import WIDENING, draw_posterior
from analysis.surrogate.validation import random_folds
from tests.analysis.surrogate.axes_of_all_kinds import (
    AXES,
    THETA,
    draw_points,
    draw_results,
    make_kernels,
)

NOISE = 0.2


def sample(trials: int, seed: int) -> TrainingData:
    rng = np.random.default_rng(seed)
    units = draw_points(trials, rng)
    targets = draw_results(units, NOISE, rng)
    return TrainingData(AXES, units, targets, random_folds(trials, rng))


@functools.cache
def fit() -> GaussianProcess:
    return fit_gaussian_process(sample(64, 0), np.random.default_rng(0))


def at_one_theta(theta: FloatArray, trials: int) -> GaussianProcess:
    data = sample(trials, 1)
    return GaussianProcess(make_kernels(), data.units, data.targets, theta[None])


def posterior(process: GaussianProcess, points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and variance at points with mu integrated out (GPML Eq. 2.25, 2.26 and 2.42)."""
    hyper, n = Hyperparameters.of(process.thetas[0]), len(process.targets)
    k = functools.partial(covariance, process.kernels, hyper)
    c = k(process.units, process.units) + (hyper.noise + JITTER) * np.eye(n)
    inverse, ones, y = np.linalg.inv(c), np.ones(n), process.targets
    mu = (ones @ inverse @ y) / (ones @ inverse @ ones)
    s2 = (y - mu) @ inverse @ (y - mu) / (n - 1)
    across = k(points, process.units)
    mean = mu + across @ inverse @ (y - mu)
    left = 1.0 - across @ inverse @ ones
    spread = k(points, points) - across @ inverse @ across.T
    variance = np.diag(spread) + left**2 / (ones @ inverse @ ones)
    # s2 over a chi-squared variable of n - 1 degrees of freedom has this mean.
    return mean, s2 * (n - 1) / (n - 3) * variance


def test_prediction_is_the_posterior_mean() -> None:
    process, points = at_one_theta(THETA, 30), draw_points(20, np.random.default_rng(2))
    mean, _ = posterior(process, points)
    assert process.predict(points) == pytest.approx(mean, abs=1e-6)


def test_draws_have_the_mean_and_the_widened_variance_of_the_posterior(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At points between the centres, and at a trial."""
    monkeypatch.setattr(posterior_draws, "_DRAWS", 4000)
    monkeypatch.setattr(posterior_draws, "_EXTRA_CENTRES", 8)
    process, rng = at_one_theta(THETA, 30), np.random.default_rng(3)
    points = np.vstack([draw_points(12, rng), process.units[:1]])
    mean, variance = posterior(process, points)
    drawn = draw_posterior(process, rng).predict(points)
    spread = np.sqrt(variance)
    assert drawn.mean(axis=1) == pytest.approx(mean, abs=0.1 * float(spread.max()))
    assert drawn.std(axis=1) == pytest.approx(WIDENING * spread, rel=0.08)


def test_draws_over_the_chain_agree_with_the_prediction() -> None:
    process, points = fit(), draw_points(40, np.random.default_rng(4))
    drawn = draw_posterior(process, np.random.default_rng(5)).predict(points)
    deviations = (drawn.mean(axis=1) - process.predict(points)) / drawn.std(axis=1)
    assert np.abs(deviations).max() < 0.4
    assert np.sqrt(np.mean(deviations**2)) < 0.2


def test_draws_hit_the_trials_within_their_noise() -> None:
    process = fit()
    drawn = draw_posterior(process, np.random.default_rng(6)).predict(process.units)
    residuals = process.targets[:, None] - drawn
    assert np.sqrt(np.mean(residuals**2)) == pytest.approx(NOISE, rel=0.6)
    unexplained = draw_posterior(process, np.random.default_rng(6)).variances.noise.mean() ** 0.5
    assert unexplained == pytest.approx(NOISE, rel=0.4)


def test_curves_are_averages_of_the_prediction_over_a_full_grid() -> None:
    """Three axes, of which the grid has all nodes."""
    chosen, rng = [1, 2, 4], np.random.default_rng(7)
    data = sample(40, 3)
    data = dataclasses.replace(data, axes=[AXES[j] for j in chosen], units=data.units[:, chosen])
    process = fit_gaussian_process(data, rng, dataclasses.replace(FULL, chain=3))
    nodes, weights = zip(*((k.nodes, k.weights) for k in process.kernels), strict=True)
    f = process.predict(np.array(list(itertools.product(*nodes)))).reshape(*map(len, nodes))
    a, b, c = weights
    curves = process.marginal_means()
    assert curves[0] == pytest.approx(np.einsum("ijk,j,k->i", f, b, c), abs=1e-6)
    assert curves[2] == pytest.approx(np.einsum("ijk,i,j->k", f, a, b), abs=1e-6)
    assert process.pair_effect(0, 2) == pytest.approx(np.einsum("ijk,j->ki", f, b), abs=1e-6)
    drawn = draw_posterior(process, rng).marginal_means()
    for curve, draws in zip(curves, drawn, strict=True):
        assert np.abs((draws.mean(axis=1) - curve) / draws.std(axis=1)).max() < 0.5


def test_the_mode_is_the_higher_of_two_maxima() -> None:
    data = sample(48, 2)
    mode = find_mode(data, "5/2")
    value, gradient = mode.posterior.negative(mode.theta)
    assert value == pytest.approx(mode.value)
    inside = (mode.theta > mode.posterior.prior.low) & (mode.theta < mode.posterior.prior.high)
    assert np.abs(gradient[inside]).max() < 0.5
    for start in mode.posterior.prior.starts():
        assert mode.value <= mode.posterior.negative(start)[0]


def test_a_rough_function_gets_the_rougher_kernel() -> None:
    def fitted(rough: bool) -> str:
        rng = np.random.default_rng(0)
        units = draw_points(96, rng)
        a = units[:, 0]
        clean = np.abs((6.0 * a) % 2.0 - 1.0) if rough else np.sin(3.0 * a)
        targets = clean + 0.01 * rng.normal(size=96)
        data = TrainingData(AXES[:1], units[:, :1], targets, random_folds(96, rng))
        return fit_gaussian_process(data, rng).smoothness

    assert fitted(rough=True) == "3/2"
    assert fitted(rough=False) == "5/2"


def test_of_many_trials_some_are_used_and_the_work_is_bounded() -> None:
    data = sample(700, 4)
    process = fit_gaussian_process(data, np.random.default_rng(0), gaussian_process.QUICK)
    assert len(process.targets) == 500
    assert len(process.thetas) == 6
    points = draw_points(200, np.random.default_rng(1))
    truth = draw_results(points, 0.0, np.random.default_rng(1))
    assert np.sqrt(np.mean((process.predict(points) - truth) ** 2)) < NOISE / 2


def test_equal_configurations_do_not_make_the_covariance_singular() -> None:
    once = sample(20, 5)
    twice = once.subset(np.repeat(np.arange(20), 2))
    process = fit_gaussian_process(twice, np.random.default_rng(0))
    assert np.isfinite(process.predict(once.units)).all()
    assert np.isfinite(draw_posterior(process, np.random.default_rng(0)).variances.shares).all()
