"""Elliptical slice sampling, on a normal likelihood whose posterior is normal as well."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.surrogate.slice_sampler import sample_posterior

MEAN, SPREAD = np.array([1.0, -2.0]), np.array([2.0, 0.5])


def test_draws_have_the_moments_of_a_conjugate_posterior() -> None:
    """One observation of the sum and one of the first parameter, with their own errors."""
    seen, design = np.array([1.5, 2.0]), np.array([[1.0, 1.0], [1.0, 0.0]])
    error = np.diag([0.3**-2, 1.0])
    precision = np.diag(SPREAD**-2) + design.T @ error @ design
    covariance = np.linalg.inv(precision)
    mean = covariance @ (MEAN / SPREAD**2 + design.T @ error @ seen)

    def log_likelihood(theta: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        residual = seen - design @ theta
        return float(-0.5 * residual @ error @ residual)

    rng = np.random.default_rng(0)
    draws = sample_posterior(log_likelihood, MEAN, SPREAD, MEAN, 8000, 3, rng)
    assert draws.mean(axis=0) == pytest.approx(mean, abs=0.05)
    assert np.cov(draws.T) == pytest.approx(covariance, abs=0.04)


def test_a_flat_likelihood_gives_the_prior() -> None:
    rng = np.random.default_rng(1)
    draws = sample_posterior(lambda theta: 0.0, MEAN, SPREAD, MEAN, 4000, 1, rng)
    assert draws.mean(axis=0) == pytest.approx(MEAN, abs=0.1)
    assert draws.std(axis=0) == pytest.approx(SPREAD, rel=0.06)


def test_draws_stay_where_the_likelihood_is_not_zero() -> None:
    def positive(theta: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        return 0.0 if (theta > 0.0).all() else -np.inf

    rng = np.random.default_rng(2)
    draws = sample_posterior(positive, np.zeros(2), SPREAD, np.array([0.1, 0.1]), 500, 2, rng)
    assert (draws > 0.0).all()
    assert draws.mean(axis=0) == pytest.approx(SPREAD * np.sqrt(2 / np.pi), rel=0.15)
