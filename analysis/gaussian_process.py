"""Gaussian process regression, its parameters found by maximum posterior density.

Symbols: K covariances of the trials (`analysis.kernel`), noise a variance on its diagonal (K's
own scale s2 is profiled out), y the targets about their mean. Chapters 2 and 5 of Rasmussen and
Williams, Gaussian Processes for Machine Learning, 2006.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis import kernel
from analysis.axes import Axis, Floats
from analysis.decomposition import Decomposition
from analysis.expansion import Expansion, Features, features

# Both cost the cube of the number of trials: parameters are found on at most _TUNED_ON of them,
# predictions made from at most _FITTED_ON.
_TUNED_ON = 200
_FITTED_ON = 1000
_CHUNK_NUMBERS = 4_000_000
_JITTER = 1e-8
_CLIMB = 40
_SPREAD = 1.5
_QUIET = float(np.log(0.02))


@dataclass(frozen=True)
class GaussianProcess:
    """The process fitted to trials."""

    axes: Sequence[Axis]
    units: Floats
    targets: Floats
    logs: Floats  # the kernel's log-parameters, then the log noise
    weights: Floats  # (n,): a prediction is the mean plus the trials' covariances times these

    @staticmethod
    def of(axes: Sequence[Axis], units: Floats, targets: Floats, logs: Floats) -> GaussianProcess:
        covariances = kernel.value(logs[:-1], kernel.distances(units, units, axes))
        once = np.ones(len(targets))
        weights = _weights(covariances, float(np.exp(logs[-1])), targets - targets.mean(), once)
        return GaussianProcess(axes, units, targets, logs, weights)

    def predict(self, units: Floats) -> Floats:
        """(points, 1) posterior means."""
        step = max(1, _CHUNK_NUMBERS // (len(self.axes) * len(self.targets)))
        predicted = np.empty(len(units))
        for at in range(0, len(units), step):
            gaps = kernel.distances(units[at : at + step], self.units, self.axes)
            predicted[at : at + step] = kernel.value(self.logs[:-1], gaps) @ self.weights
        return (predicted + self.targets.mean())[:, None]

    def parts(self) -> Decomposition:
        """The posterior mean's decomposition, exact but for rounding."""
        means = self.targets.mean(keepdims=True)
        return self._expanded(
            features(self.logs[:-1], self.axes), self.weights[:, None], means
        ).parts()

    def resampled(self, count: int, rng: np.random.Generator) -> Expansion:
        """What the objective may be after all: one function for each of `count` bootstrap samples.

        The samples carry the trials' noise. What any trials leave open between them is drawn: a
        function of the process, less what the sample's trials tell of it (Matheron's rule,
        arXiv:2002.09309), so that the whole varies as the posterior does where noise is normal.
        """
        n = len(self.targets)
        axis_features = features(self.logs[:-1], self.axes)
        *_, pair_weight = kernel.split(self.logs[:-1])
        centred = self.targets - self.targets.mean()
        scale = float(np.sqrt(max(centred @ self.weights, 0.0) / n))
        prior = Expansion.drawn(axis_features, pair_weight, scale, count, rng)
        drawn = prior.predict(self.units)
        repeats = rng.multinomial(n, np.full(n, 1.0 / n), size=count).T.astype(float)
        means = self.targets @ repeats / n
        covariances = kernel.value(
            self.logs[:-1], kernel.distances(self.units, self.units, self.axes)
        )
        noise = float(np.exp(self.logs[-1]))
        weights = np.column_stack(
            [
                _weights(covariances, noise, self.targets - means[r] - drawn[:, r], repeats[:, r])
                for r in range(count)
            ]
        )
        return prior + self._expanded(axis_features, weights, means)

    def _expanded(
        self, axis_features: Sequence[Features], weights: Floats, means: Floats
    ) -> Expansion:
        *_, pair_weight = kernel.split(self.logs[:-1])
        return Expansion.of_kernel(axis_features, pair_weight, self.units, weights, means)


def _weights(covariances: Floats, noise: float, targets: Floats, counts: Floats) -> Floats:
    """(n,) by which covariances predict, from targets about their mean.

    A trial that counts k times is k measurements, of a k-th of the noise.
    """
    drawn = np.flatnonzero(counts)
    system = covariances[np.ix_(drawn, drawn)]
    system[np.diag_indices_from(system)] += noise / counts[drawn] + _JITTER
    weights = np.zeros(len(targets))
    weights[drawn] = np.linalg.solve(system, targets[drawn])
    return weights


def fit_gaussian_process(
    axes: Sequence[Axis],
    units: Floats,
    targets: Floats,
    rng: np.random.Generator,
    starts: Sequence[Floats],
) -> GaussianProcess:
    """The process whose parameters have the highest posterior density found from `starts`."""
    from scipy.optimize import minimize

    kept = rng.permutation(len(targets))[:_FITTED_ON]
    tuned = kept[:_TUNED_ON]
    surface = _Posterior.of(axes, units[tuned], targets[tuned])
    options = {"maxiter": _CLIMB}
    found = [
        minimize(surface, s, jac=True, method="L-BFGS-B", bounds=surface.bounds(), options=options)
        for s in starts
    ]
    best = min(found, key=lambda result: float(result.fun))
    logs = np.asarray(best.x, dtype=float)
    return GaussianProcess.of(axes, units[kept], targets[kept], logs)


def starts(axes: int, count: int, rng: np.random.Generator) -> list[Floats]:
    """Where to climb from: the surface has many summits, so the expected one and others near it."""
    middle = np.append(kernel.centre(axes), _QUIET)
    return [middle, *(middle + rng.normal(-0.4, 0.7, len(middle)) for _ in range(count - 1))]


@dataclass(frozen=True)
class _Posterior:
    """Minus the log posterior of the log-parameters and log noise, with its gradient.

    Parameters are held near the kernel's centre, broadly (as arXiv:2402.02229 for length scales),
    without which a dozen trials fit anything. Only the lower triangle of K is computed.
    """

    distances: Floats  # (axes, n (n + 1) / 2), the lower triangle by rows
    targets: Floats

    @staticmethod
    def of(axes: Sequence[Axis], units: Floats, targets: Floats) -> _Posterior:
        full = kernel.distances(units, units, axes)
        rows, columns = np.tril_indices(len(targets))
        deviation = float(targets.std()) or 1.0
        return _Posterior(full[:, rows, columns], (targets - targets.mean()) / deviation)

    def bounds(self) -> list[tuple[float, float]]:
        middle = kernel.centre(len(self.distances))
        return [(c - 5.0, c + 5.0) for c in middle] + [(float(np.log(1e-5)), float(np.log(10.0)))]

    def __call__(self, logs: Floats) -> tuple[float, Floats]:
        n = len(self.targets)
        rows, columns = np.tril_indices(n)
        noise = float(np.exp(logs[-1]))
        covariances, pullback = kernel.value_and_pullback(logs[:-1], self.distances)
        system = np.zeros((n, n))
        system[rows, columns] = system[columns, rows] = covariances
        system[np.diag_indices(n)] += noise + _JITTER
        log_determinant = 2.0 * np.log(np.diag(np.linalg.cholesky(system))).sum()
        inverse = np.linalg.inv(system)
        weights = inverse @ self.targets
        s2 = max(float(self.targets @ weights) / n, 1e-12)  # 0 where all targets are alike
        off = (logs[:-1] - kernel.centre(len(self.distances))) / _SPREAD
        quiet = (logs[-1] - _QUIET) / (2 * _SPREAD)
        density = 0.5 * (n * np.log(s2) + log_determinant + off @ off + quiet * quiet)
        slope = 0.5 * (inverse - np.outer(weights, weights) / s2)
        twice = np.where(rows == columns, 1.0, 2.0) * slope[rows, columns]
        by_kernel = pullback(twice) + off / _SPREAD
        by_noise = noise * np.trace(slope) + quiet / (2 * _SPREAD)
        return float(density), np.append(by_kernel, by_noise)
