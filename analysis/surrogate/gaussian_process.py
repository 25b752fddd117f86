"""Gaussian process regression: posterior of theta, predictions (GPML Chapter 2).

Theta is not set to its best value: with a few dozen trials many values fit about as well, some of
which call a function rough what others call noise. A chain samples its posterior, and predictions
are means over the chain. Notation: `analysis/surrogate/__init__.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analysis.stats.intervals import FloatArray
from analysis.surrogate.kernel import AxisKernel, Hyperparameters, Smoothness, covariance
from analysis.surrogate.log_posterior import JITTER, LogPosterior
from analysis.surrogate.slice_sampler import sample_posterior
from analysis.surrogate.unit_cube import Axis

# Time grows with n^3: theta is fitted to at most _MAX_FOR_THETA trials, alpha to _MAX_FOR_ALPHA.
_MAX_FOR_THETA = 128
_MAX_FOR_ALPHA = 500
_MAX_ITERATIONS = 60
_MIN_CHAIN = 6
_PENALTY: dict[Smoothness, float] = {"5/2": 0.0, "3/2": 1.0}  # of the log posterior


@dataclass(frozen=True)
class TrainingData:
    """Trials to fit: units (n, d) their quantiles, targets (n,) their results.

    folds: (n,) the fold of each trial in cross-validation, from 0
    """

    axes: Sequence[Axis]
    units: FloatArray
    targets: FloatArray
    folds: NDArray[np.intp]

    def subset(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> TrainingData:
        """These rows only."""
        return TrainingData(self.axes, self.units[rows], self.targets[rows], self.folds[rows])


@dataclass(frozen=True)
class Effort:
    """How much work goes into one process.

    chain: draws of theta; thinning: steps of the chain between two of them
    smoothnesses: kernels to choose between
    pairs: whether shares of two parameters jointly are estimated, which takes a tenth of the time
    """

    chain: int
    thinning: int
    smoothnesses: tuple[Smoothness, ...]
    pairs: bool = True


FULL = Effort(chain=32, thinning=4, smoothnesses=("5/2", "3/2"))
QUICK = Effort(chain=8, thinning=4, smoothnesses=("5/2",), pairs=False)


@dataclass(frozen=True)
class Conditioned:
    """The process at one theta, conditioned on trials, in units of standardised results."""

    hyper: Hyperparameters
    mu: float
    alpha: FloatArray
    s2: float
    inverse: FloatArray

    @staticmethod
    def on(
        kernels: Sequence[AxisKernel], theta: FloatArray, units: FloatArray, targets: FloatArray
    ) -> Conditioned:
        """Conditions on units (n, d) and standardised targets (n,)."""
        hyper, n = Hyperparameters.of(theta), len(targets)
        c = covariance(kernels, hyper, units, units)
        c[np.diag_indices(n)] += hyper.noise + JITTER
        inverse: FloatArray = np.asarray(np.linalg.inv(c), dtype=float)
        sums = inverse.sum(axis=1)  # C^-1 1
        mu = float(sums @ targets) / float(sums.sum())
        alpha = inverse @ (targets - mu)
        s2 = max(float((targets - mu) @ alpha) / (n - 1), 1e-12)
        return Conditioned(hyper, mu, alpha, s2, inverse)


@dataclass(frozen=True)
class GaussianProcess:
    """A process fitted to trials.

    thetas: (chain, 2 d + 2) draws of theta
    centre, scale: mean and standard deviation of the trials' results
    """

    kernels: tuple[AxisKernel, ...]
    units: FloatArray
    targets: FloatArray
    thetas: FloatArray

    @property
    def smoothness(self) -> Smoothness:
        """Order of the Matern kernels."""
        return self.kernels[0].smoothness

    @cached_property
    def centre(self) -> float:
        return float(self.targets.mean())

    @cached_property
    def scale(self) -> float:
        return float(self.targets.std()) or 1.0

    @cached_property
    def conditioned(self) -> tuple[Conditioned, ...]:
        """The process at each theta of the chain."""
        standardised = (self.targets - self.centre) / self.scale
        return tuple(
            Conditioned.on(self.kernels, theta, self.units, standardised) for theta in self.thetas
        )

    def predict(self, units: FloatArray) -> FloatArray:
        """(points,) posterior means at points (points, d)."""
        means = [
            c.mu + covariance(self.kernels, c.hyper, units, self.units) @ c.alpha
            for c in self.conditioned
        ]
        return np.asarray(self.centre + self.scale * np.mean(means, axis=0))

    def marginal_means(self) -> list[FloatArray]:
        """(nodes,) mean of f given x_j by the posterior mean, at the nodes of each axis."""
        level = self.centre + self.scale * float(np.mean([c.mu for c in self.conditioned]))
        return [
            level
            + self.scale
            * np.mean(
                [_main_effect(k, j, c.hyper, self.units, c.alpha) for c in self.conditioned], 0
            )
            for j, k in enumerate(self.kernels)
        ]

    def pair_effect(self, j: int, k: int) -> FloatArray:
        """(nodes of k, nodes of j) mean of f given x_j and x_k: mean + f_j + f_k + f_jk."""
        planes = []
        for c in self.conditioned:
            a, b = (
                c.hyper.strengths[i]
                * kernel.centred(kernel.nodes, self.units[:, i], c.hyper.log_lengths[i])
                for i, kernel in ((j, self.kernels[j]), (k, self.kernels[k]))
            )  # (nodes, n) rho v_i c_i
            # (1/rho) ((1 + rho v_j c_j) (1 + rho v_k c_k) - 1), summed over trials with alpha.
            alone = (a @ c.alpha)[None, :] + (b @ c.alpha)[:, None]
            planes.append(c.mu + (alone + (b * c.alpha) @ a.T) / c.hyper.rho)
        return np.asarray(self.centre + self.scale * np.mean(planes, axis=0))


def fit_gaussian_process(
    data: TrainingData, rng: np.random.Generator, effort: Effort = FULL
) -> GaussianProcess:
    """The process for these trials, its theta sampled by a chain that begins at the mode.

    The kernel's smoothness is the more probable of two. Targets must differ.
    """
    # A random subset of the trials where they are too many; the first of them fit theta.
    for_alpha = rng.permutation(len(data.targets))[:_MAX_FOR_ALPHA]
    for_theta = data.subset(for_alpha[:_MAX_FOR_THETA])
    modes = [find_mode(for_theta, smoothness) for smoothness in effort.smoothnesses]
    best = min(modes, key=lambda mode: mode.value + _PENALTY[mode.smoothness])
    prior = best.posterior.prior
    # Many trials leave little doubt about theta, and each draw of it is dear: take fewer.
    count = max(_MIN_CHAIN, effort.chain * _MAX_FOR_THETA // max(len(for_alpha), _MAX_FOR_THETA))
    thetas = sample_posterior(
        best.posterior.log_likelihood,
        prior.mean,
        prior.spread,
        best.theta,
        count,
        effort.chain * effort.thinning // count,
        rng,
    )
    kernels = tuple(best.posterior.kernels)
    return GaussianProcess(kernels, data.units[for_alpha], data.targets[for_alpha], thetas)


@dataclass(frozen=True)
class Mode:
    """The theta of highest posterior; value: -log p there."""

    posterior: LogPosterior
    theta: FloatArray
    value: float

    @property
    def smoothness(self) -> Smoothness:
        """Order of the Matern kernels."""
        return self.posterior.kernels[0].smoothness

    def condition(self, data: TrainingData) -> GaussianProcess:
        """The process at this theta alone, on trials: far cheaper than a chain."""
        kernels = tuple(self.posterior.kernels)
        return GaussianProcess(kernels, data.units, data.targets, self.theta[None])


def find_mode(data: TrainingData, smoothness: Smoothness) -> Mode:
    """The highest maximum that L-BFGS-B reaches from the prior's two starts.

    Of many trials the first 128 decide.
    """
    from scipy.optimize import minimize

    data = data.subset(np.arange(min(len(data.targets), _MAX_FOR_THETA)))
    kernels = tuple(AxisKernel(axis, smoothness) for axis in data.axes)
    scale = float(data.targets.std()) or 1.0
    posterior = LogPosterior(kernels, data.units, (data.targets - data.targets.mean()) / scale)
    prior = posterior.prior
    bounds = list(zip(prior.low, prior.high, strict=True))
    options = {"maxiter": _MAX_ITERATIONS}
    results = [
        minimize(
            posterior.negative, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options
        )
        for start in prior.starts()
    ]
    best = min(results, key=lambda result: float(result.fun))
    return Mode(posterior, np.asarray(best.x, dtype=float), float(best.fun))


def _main_effect(
    kernel: AxisKernel, j: int, hyper: Hyperparameters, centres: FloatArray, weights: FloatArray
) -> FloatArray:
    """f_j at the nodes: v_j c_j(nodes, centres) weights."""
    centred = kernel.centred(kernel.nodes, centres[:, j], hyper.log_lengths[j])
    return np.asarray(hyper.variances[j] * (centred @ weights))
