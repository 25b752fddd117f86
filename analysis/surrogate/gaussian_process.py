"""Gaussian process regression, its parameters found by maximum posterior density.

Chapter 2 of Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.stats.intervals import FloatArray
from analysis.surrogate import kernel
from analysis.surrogate.anova import Decomposition
from analysis.surrogate.eigenfunctions import Expansion, Mixture, make_features
from analysis.surrogate.log_posterior import JITTER, NegativeLogPosterior
from analysis.surrogate.unit_cube import Axis

# Both cost the cube of the number of trials: parameters are found on at most _TUNED_ON of them,
# predictions made from at most _FITTED_ON.
_TUNED_ON = 200
_FITTED_ON = 1000
_CHUNK_NUMBERS = 4_000_000
_CLIMB = 40
_SHARING = 10  # bootstrap samples with the same log-parameters


@dataclass(frozen=True)
class GaussianProcess:
    """The process fitted to trials."""

    axes: Sequence[Axis]
    units: FloatArray
    targets: FloatArray
    logs: FloatArray  # the kernel's log-parameters, then the log noise
    weights: FloatArray  # (n,): a prediction is the mean plus the trials' covariances times these

    @staticmethod
    def of(axes: Sequence[Axis], units: FloatArray, targets: FloatArray, logs: FloatArray) -> GaussianProcess:
        covariances = kernel.covariance(logs[:-1], kernel.squared_distances(units, units, axes))
        once = np.ones(len(targets))
        weights = _weights(covariances, logs, targets - targets.mean(), once)
        return GaussianProcess(axes, units, targets, logs, weights)

    def predict(self, units: FloatArray) -> FloatArray:
        """(points, 1) posterior means."""
        step = max(1, _CHUNK_NUMBERS // (len(self.axes) * len(self.targets)))
        predicted = np.empty(len(units))
        for at in range(0, len(units), step):
            gaps = kernel.squared_distances(units[at : at + step], self.units, self.axes)
            predicted[at : at + step] = kernel.covariance(self.logs[:-1], gaps) @ self.weights
        return np.asarray((predicted + self.targets.mean())[:, None])

    def decompose(self) -> Decomposition:
        """The posterior mean's decomposition."""
        axis_features = make_features(self.logs[:-1], self.axes)
        means = self.targets.mean(keepdims=True)
        return Expansion.from_kernel_weights(
            axis_features, self.logs, self.units, self.weights[:, None], means
        ).decompose()

    def resample(self, count: int, rng: np.random.Generator) -> Mixture:
        """What the objective may be after all: one function for each of `count` bootstrap samples.

        The samples carry the trials' noise. What any trials leave open between them is drawn: a
        function of the process, less what the sample's trials tell of it (Matheron's rule,
        arXiv:2002.09309), so that the whole varies as the posterior does where noise is normal.
        The process's own parameters are drawn as well, anew for every `_SHARING` samples.
        """
        posterior = NegativeLogPosterior.of(self.axes, self.units[:_TUNED_ON], self.targets[:_TUNED_ON])
        settings = posterior.draw_laplace(self.logs, -(-count // _SHARING), rng)
        shares = np.array_split(np.arange(count), len(settings))
        return Mixture(
            [self._drawn(s, len(share), rng) for s, share in zip(settings, shares, strict=True)]
        )

    def _drawn(self, logs: FloatArray, count: int, rng: np.random.Generator) -> Expansion:
        """`count` functions that bootstrap samples allow under these log-parameters."""
        n = len(self.targets)
        covariances = kernel.covariance(logs[:-1], kernel.squared_distances(self.units, self.units, self.axes))
        centred = self.targets - self.targets.mean()
        told = centred @ _weights(covariances, logs, centred, np.ones(n))
        axis_features = make_features(logs[:-1], self.axes)
        prior = Expansion.draw_prior(axis_features, logs, float(np.sqrt(max(told, 0.0) / n)), count, rng)
        left = self.targets[:, None] - prior.predict(self.units)
        repeats = rng.multinomial(n, np.full(n, 1.0 / n), size=count).T.astype(float)
        means = self.targets @ repeats / n
        weights = [
            _weights(covariances, logs, y - mean, counts)
            for y, mean, counts in zip(left.T, means, repeats.T, strict=True)
        ]
        return prior + Expansion.from_kernel_weights(
            axis_features, logs, self.units, np.column_stack(weights), means
        )


def _weights(covariances: FloatArray, logs: FloatArray, targets: FloatArray, counts: FloatArray) -> FloatArray:
    """(n,) by which covariances predict, from targets about their mean.

    A trial that counts k times is k measurements, of a k-th of the noise.
    """
    drawn = np.flatnonzero(counts)
    system = covariances[np.ix_(drawn, drawn)]
    system[np.diag_indices_from(system)] += np.exp(logs[-1]) / counts[drawn] + JITTER
    weights = np.zeros(len(targets))
    weights[drawn] = np.linalg.solve(system, targets[drawn])
    return weights


def fit_gaussian_process(
    axes: Sequence[Axis],
    units: FloatArray,
    targets: FloatArray,
    rng: np.random.Generator,
    starts: Sequence[FloatArray],
) -> GaussianProcess:
    """The process whose parameters have the highest posterior density found from `starts`."""
    from scipy.optimize import minimize

    kept = rng.permutation(len(targets))[:_FITTED_ON]
    tuned = kept[:_TUNED_ON]
    surface = NegativeLogPosterior.of(axes, units[tuned], targets[tuned])
    options = {"maxiter": _CLIMB}
    found = [
        minimize(surface, s, jac=True, method="L-BFGS-B", bounds=surface.bounds(), options=options)
        for s in starts
    ]
    best = min(found, key=lambda result: float(result.fun))
    logs = np.asarray(best.x, dtype=float)
    return GaussianProcess.of(axes, units[kept], targets[kept], logs)
