"""Draws from the posterior of the Gaussian process: functions, and variances of their terms.

A draw is exact at centres, the trials and some points more, and is completed elsewhere on demand.
Notation: `analysis/surrogate/__init__.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.stats.intervals import FloatArray
from analysis.surrogate.anova import Variances, measure_variances
from analysis.surrogate.gaussian_process import Conditioned, GaussianProcess
from analysis.surrogate.kernel import AxisKernel, Hyperparameters, covariance

WIDENING = 1.3
"""Factor on the spread of draws about their mean.

A process is smoother, and its noise more even, than many a real objective: intervals of its own
draws hold the truth in 86 to 99 % instead of 95 %. This factor was chosen on the tuned half of the
objectives of benchmarks/claims.py."""

_DRAWS = 480
_EXTRA_CENTRES = 128
_DRAW_JITTER = 1e-6  # of the variance of K at the centres


@dataclass(frozen=True)
class PosteriorDraws:
    """Draws from the posterior of the process at one theta: mu + K(., centres) weights.

    This is a draw at the centres, and its mean elsewhere given that; `complete` adds the rest.

    centres: (m, d); weights: (m, R); means: (R,) mu of each; variances: of their terms
    precision: (m, m) inverse of K at the centres; scales: (R,) s2 of each draw
    """

    hyper: Hyperparameters
    centres: FloatArray
    weights: FloatArray
    means: FloatArray
    variances: Variances
    precision: FloatArray
    scales: FloatArray

    def complete(
        self, prior: FloatArray, cross: FloatArray, rng: np.random.Generator
    ) -> FloatArray:
        """(points, R) values of some linear function of f, such as f at points.

        prior: (points, points) its covariance over s2; cross: (points, m) that with the centres
        """
        rest = prior - cross @ self.precision @ cross.T
        # The eigenvalues of a covariance are 0 or more but for rounding.
        eigenvalues, vectors = np.linalg.eigh(0.5 * (rest + rest.T))
        root = vectors * np.sqrt(np.maximum(eigenvalues, 0.0))
        drawn = root @ rng.normal(size=(len(prior), len(self.scales))) * np.sqrt(self.scales)
        return np.asarray(self.means + cross @ self.weights + drawn)


@dataclass(frozen=True)
class PosteriorSample:
    """Draws from the posterior over the whole chain: R functions; seed: of their values."""

    kernels: tuple[AxisKernel, ...]
    draws: tuple[PosteriorDraws, ...]
    seed: int

    @cached_property
    def variances(self) -> Variances:
        """Variances of the terms of all draws."""
        return Variances.joined([d.variances for d in self.draws])

    def predict(self, units: FloatArray) -> FloatArray:
        """(points, R) values at a few points (points, d), widened about their mean."""
        rng = np.random.default_rng(self.seed)
        values = [
            d.complete(
                covariance(self.kernels, d.hyper, units, units),
                covariance(self.kernels, d.hyper, units, d.centres),
                rng,
            )
            for d in self.draws
        ]
        return widen(np.concatenate(values, axis=1))

    def marginal_means(self) -> list[FloatArray]:
        """(nodes, R) mean of f given x_j at the nodes of each axis, widened about their mean."""
        rng = np.random.default_rng(self.seed)
        means = []
        for j, kernel in enumerate(self.kernels):
            values = []
            for d in self.draws:
                length, variance = d.hyper.log_lengths[j], d.hyper.variances[j]
                prior = variance * kernel.centred(kernel.nodes, kernel.nodes, length)
                cross = variance * kernel.centred(kernel.nodes, d.centres[:, j], length)
                values.append(d.complete(prior, cross, rng))
            means.append(widen(np.concatenate(values, axis=1)))
        return means


def draw_posterior(
    process: GaussianProcess, rng: np.random.Generator, pairs: bool = True
) -> PosteriorSample:
    """Draws from the posterior, the same number at each theta of the chain.

    pairs: measure the variances of pairs of axes, too; else they are 0
    """
    from scipy.stats import qmc

    extra = qmc.Sobol(len(process.kernels), rng=rng).random(_EXTRA_CENTRES)
    snapped = [k.axis.snap(extra[:, j]) for j, k in enumerate(process.kernels)]
    centres = np.vstack([process.units, np.column_stack(snapped)])
    each = -(-_DRAWS // len(process.thetas))
    draws = tuple(_draw(process, c, centres, each, rng, pairs) for c in process.conditioned)
    return PosteriorSample(process.kernels, draws, int(rng.integers(2**31)))


def _draw(
    process: GaussianProcess,
    c: Conditioned,
    centres: FloatArray,
    count: int,
    rng: np.random.Generator,
    pairs: bool,
) -> PosteriorDraws:
    """`count` draws at one theta, exact at the centres, of which the first are the trials.

    By Matheron's rule (arXiv:2002.09309): with g a draw from the prior,

        f = g + mu + K(., X) C^-1 (y - mu - g(X) - e),  e a draw of the noise
    """
    n, hyper = len(process.targets), c.hyper
    y = (process.targets - process.centre) / process.scale
    k = covariance(process.kernels, hyper, centres, centres)
    jitter = _DRAW_JITTER * float(np.diag(k).mean())
    jittered = k.copy()
    jittered[np.diag_indices(len(k))] += jitter
    factor = np.linalg.cholesky(jittered)
    # (n - 1) s2 over its scale is chi-squared with n - 1 degrees of freedom.
    scales = c.s2 * (n - 1) / rng.chisquare(n - 1, count)
    g = np.sqrt(scales) * (factor @ rng.normal(size=(len(k), count)))
    e = np.sqrt(hyper.noise * scales) * rng.normal(size=(n, count))
    residuals = y[:, None] - g[:n] - e
    # mu of each draw by generalised least squares.
    means = (c.inverse.sum(axis=0) @ residuals) / c.inverse.sum()
    f = g + k[:, :n] @ (c.inverse @ (residuals - means))
    # K(., centres) weights takes the values f at the centres.
    precision = np.linalg.inv(factor)
    precision = precision.T @ precision
    weights = precision @ f
    variances = measure_variances(
        process.kernels, hyper, centres, weights, precision, scales, pairs
    )
    return PosteriorDraws(
        hyper,
        centres,
        process.scale * weights,
        process.centre + process.scale * means,
        variances.scaled(process.scale**2),
        precision,
        process.scale**2 * scales,
    )


def widen(draws: FloatArray) -> FloatArray:
    """Draws (..., R) moved away from their mean by `WIDENING`."""
    mean = draws.mean(axis=-1, keepdims=True)
    return np.asarray(mean + WIDENING * (draws - mean))
