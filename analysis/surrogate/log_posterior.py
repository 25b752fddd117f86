"""How well the log-parameters of a Gaussian process suit trials, and which others do as well.

Symbols: K covariances of the trials (kernel.py), noise a variance on its diagonal (K's
own scale s2 is profiled out), y the targets about their mean. Chapters 3 and 5 of Rasmussen and
Williams, Gaussian Processes for Machine Learning, 2006.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.stats.intervals import FloatArray
from analysis.surrogate import kernel
from analysis.surrogate.unit_cube import Axis

JITTER = 1e-8
"""Added to the diagonal of covariances, so that trials of one configuration can be told apart."""

_SPREAD = 1.5
_QUIET = float(np.log(0.02))
_NUDGE = 1e-3
_LEAST_BEND = 0.1  # that of the prior where it is widest


def draw_starts(axes: int, count: int, rng: np.random.Generator) -> list[FloatArray]:
    """Where to climb from: the surface has many summits, so the expected one and others near it."""
    middle = np.append(kernel.prior_mean(axes), _QUIET)
    return [middle, *(middle + rng.normal(-0.4, 0.7, len(middle)) for _ in range(count - 1))]


@dataclass(frozen=True)
class NegativeLogPosterior:
    """Minus the log posterior of the log-parameters and log noise, with its gradient.

    Parameters are held near the kernel's centre, broadly (as arXiv:2402.02229 for length scales),
    without which a dozen trials fit anything. Only the lower triangle of K is computed.
    """

    distances: FloatArray  # (axes, n (n + 1) / 2), the lower triangle by rows
    targets: FloatArray

    @staticmethod
    def of(axes: Sequence[Axis], units: FloatArray, targets: FloatArray) -> NegativeLogPosterior:
        full = kernel.squared_distances(units, units, axes)
        rows, columns = np.tril_indices(len(targets))
        deviation = float(targets.std()) or 1.0
        return NegativeLogPosterior(full[:, rows, columns], (targets - targets.mean()) / deviation)

    def bounds(self) -> list[tuple[float, float]]:
        middle = kernel.prior_mean(len(self.distances))
        return [(c - 5.0, c + 5.0) for c in middle] + [(float(np.log(1e-5)), float(np.log(10.0)))]

    def __call__(self, logs: FloatArray) -> tuple[float, FloatArray]:
        n = len(self.targets)
        rows, columns = np.tril_indices(n)
        noise = float(np.exp(logs[-1]))
        covariances, pullback = kernel.covariance_and_pullback(logs[:-1], self.distances)
        system = np.zeros((n, n))
        system[rows, columns] = system[columns, rows] = covariances
        system[np.diag_indices(n)] += noise + JITTER
        log_determinant = 2.0 * np.log(np.diag(np.linalg.cholesky(system))).sum()
        inverse = np.linalg.inv(system)
        weights = inverse @ self.targets
        s2 = max(float(self.targets @ weights) / n, 1e-12)  # 0 where all targets are alike
        off = (logs[:-1] - kernel.prior_mean(len(self.distances))) / _SPREAD
        quiet = (logs[-1] - _QUIET) / (2 * _SPREAD)
        density = 0.5 * (n * np.log(s2) + log_determinant + off @ off + quiet * quiet)
        slope = 0.5 * (inverse - np.outer(weights, weights) / s2)
        twice = np.where(rows == columns, 1.0, 2.0) * slope[rows, columns]
        by_kernel = pullback(twice) + off / _SPREAD
        by_noise = noise * np.trace(slope) + quiet / (2 * _SPREAD)
        return float(density), np.append(by_kernel, by_noise)

    def draw_laplace(self, logs: FloatArray, count: int, rng: np.random.Generator) -> FloatArray:
        """(count, parameters) drawn from Laplace's approximation about the summit `logs`."""
        nudges = _NUDGE * np.eye(len(logs))
        slopes = np.array([self(logs + n)[1] - self(logs - n)[1] for n in nudges]) / (2 * _NUDGE)
        bends, directions = np.linalg.eigh(0.5 * (slopes + slopes.T))
        spread = directions / np.sqrt(np.maximum(bends, _LEAST_BEND))
        low, high = np.array(self.bounds()).T
        drawn: FloatArray = logs + rng.normal(size=(count, len(logs))) @ spread.T
        return np.clip(drawn, low, high)
