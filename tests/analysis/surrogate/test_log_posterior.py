"""The log posterior against the textbook in full matrices, its gradient against differences."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.stats.intervals import FloatArray
from analysis.surrogate.kernel import Hyperparameters, Smoothness, covariance
from analysis.surrogate.log_posterior import JITTER, LogPosterior
from tests.analysis.surrogate.axes_of_all_kinds import (
    AXES,
    THETA,
    draw_points,
    draw_results,
    make_kernels,
)

STEP = 1e-5


def make_posterior(smoothness: Smoothness) -> tuple[LogPosterior, FloatArray, FloatArray]:
    """With repeated trials, whose distance on every axis is 0."""
    rng = np.random.default_rng(0)
    units = np.repeat(draw_points(14, rng), 2, axis=0)
    targets = draw_results(units, 0.3, rng)
    targets = (targets - targets.mean()) / targets.std()
    return LogPosterior(make_kernels(smoothness), units, targets), units, targets


@pytest.mark.parametrize("smoothness", ["3/2", "5/2"])
def test_the_likelihood_is_that_of_a_normal_with_mean_and_scale_integrated_out(
    smoothness: Smoothness,
) -> None:
    posterior, units, y = make_posterior(smoothness)
    values = []
    for theta in (THETA, 0.5 * THETA):
        hyper, n = Hyperparameters.of(theta), len(y)
        c = covariance(make_kernels(smoothness), hyper, units, units)
        c += (hyper.noise + JITTER) * np.eye(n)
        inverse, ones = np.linalg.inv(c), np.ones(n)
        mu = (ones @ inverse @ y) / (ones @ inverse @ ones)
        s2 = (y - mu) @ inverse @ (y - mu) / (n - 1)
        values.append(
            -0.5 * np.linalg.slogdet(c)[1]
            - 0.5 * np.log(ones @ inverse @ ones)
            - 0.5 * (n - 1) * np.log(s2)
        )
        assert posterior.log_likelihood(theta) == pytest.approx(values[-1])
    assert values[0] != pytest.approx(values[1])


@pytest.mark.parametrize("smoothness", ["3/2", "5/2"])
def test_the_gradient_matches_differences(smoothness: Smoothness) -> None:
    posterior, _, _ = make_posterior(smoothness)
    for theta in (THETA, posterior.prior.mean, posterior.prior.starts()[1]):
        gradient = posterior.negative(theta)[1]
        for i in range(len(theta)):
            nudge = STEP * np.eye(len(theta))[i]
            ahead, behind = (posterior.negative(theta + sign * nudge)[0] for sign in (1, -1))
            assert gradient[i] == pytest.approx((ahead - behind) / (2 * STEP), rel=1e-4, abs=1e-5)


def test_the_negative_is_that_of_likelihood_and_prior() -> None:
    posterior, _, _ = make_posterior("5/2")
    prior = posterior.prior
    log_prior = -0.5 * np.sum(((THETA - prior.mean) / prior.spread) ** 2)
    expected = -(posterior.log_likelihood(THETA) + log_prior)
    assert posterior.negative(THETA)[0] == pytest.approx(expected)


def test_nothing_is_likely_outside_the_bounds() -> None:
    posterior, _, _ = make_posterior("5/2")
    beyond = THETA.copy()
    beyond[0] = posterior.prior.high[0] + 0.1
    assert posterior.log_likelihood(beyond) == -np.inf


def test_choices_alone_have_a_gradient_as_well() -> None:
    """No ordered axis: no length scale matters."""
    rng, kernels = np.random.default_rng(1), make_kernels()[3:]
    units = draw_points(20, rng)
    posterior = LogPosterior(kernels, units[:, 3:], draw_results(units, 0.1, rng) - 20.0)
    theta = posterior.prior.mean + 0.1
    gradient = posterior.negative(theta)[1]
    assert len(AXES[3:]) == 2
    assert gradient[:2] == pytest.approx(0.1 / posterior.prior.spread[:2] ** 2)
