"""A Gaussian process with a Matérn 5/2 kernel and a length scale for each axis.

Symbols: X (n, features), D_j squared distances along axis j, r2 = sum_j D_j / l_j^2,
K = k(r2) + noise I with k the Matérn 5/2 correlation; y standardised, its scale s2 profiled out.
Chapters 2 and 5 of Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.axes import Floats

# Length scales are found on at most this many trials, predictions made from at most that many:
# both cost the cube of the number.
_TUNED_ON = 320
_FITTED_ON = 1200
_PRIOR_FEATURES = 512
_CHUNK = 4096
_JITTER = 1e-8


@dataclass(frozen=True)
class GaussianProcess:
    """A fitted process: predicts, and draws functions that the trials leave possible."""

    features: Floats
    scales: Floats  # (features,) 1 / length scale, repeated over an unordered axis's columns
    noise: float  # variance, as a share of the process's own
    targets: Floats
    mean: float
    variance: float

    def predict(self, features: Floats) -> Floats:
        """(points,) posterior mean."""
        kernel = _correlations(self.features * self.scales, self.features * self.scales)
        kernel[np.diag_indices_from(kernel)] += self.noise + _JITTER
        weights = np.asarray(np.linalg.solve(kernel, self.targets - self.mean), dtype=float)
        return self.mean + self._apply(features, weights[:, None])[:, 0]

    def replicates(self, features: Floats, count: int, rng: np.random.Generator) -> Floats:
        """(points, count): posterior draws, each given a bootstrap sample of the trials.

        A draw is a function of the prior, corrected by what it gets wrong at the trials
        (Eq. 11 of arXiv:2002.09309); the prior is drawn from random Fourier features.
        """
        n = len(self.targets)
        scaled = self.features * self.scales
        kernel = _correlations(scaled, scaled)
        corrections = np.zeros((n, count))
        prior, frequencies, phases = self._prior(count, rng)
        deviation = np.sqrt(self.variance)
        at_trials = np.cos(scaled @ frequencies + phases) @ prior * deviation
        for b in range(count):
            drawn, repeats = np.unique(rng.integers(n, size=n), return_counts=True)
            noise = self.noise / repeats + _JITTER
            error = rng.normal(size=len(drawn)) * np.sqrt(noise) * deviation
            gap = self.targets[drawn] - self.mean - at_trials[drawn, b] - error
            system = kernel[np.ix_(drawn, drawn)]
            system[np.diag_indices_from(system)] += noise
            corrections[drawn, b] = np.linalg.solve(system, gap)
        draws = np.empty((len(features), count))
        for start in range(0, len(features), _CHUNK):
            part = features[start : start + _CHUNK]
            waves = np.cos((part * self.scales) @ frequencies + phases)
            draws[start : start + _CHUNK] = waves @ prior * deviation
        return self.mean + draws + self._apply(features, corrections)

    def _prior(self, count: int, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
        """Random Fourier features of the Matérn 5/2 kernel: Student-t frequencies, 5 degrees."""
        shape = (self.features.shape[1], _PRIOR_FEATURES)
        spread = np.sqrt(5.0 / rng.chisquare(5.0, size=_PRIOR_FEATURES))
        frequencies = rng.normal(size=shape) * spread
        phases = rng.uniform(0.0, 2.0 * np.pi, size=_PRIOR_FEATURES)
        weights = rng.normal(size=(_PRIOR_FEATURES, count)) * np.sqrt(2.0 / _PRIOR_FEATURES)
        return weights, frequencies, phases

    def _apply(self, features: Floats, weights: Floats) -> Floats:
        trials = self.features * self.scales
        parts = [
            _correlations(features[start : start + _CHUNK] * self.scales, trials) @ weights
            for start in range(0, len(features), _CHUNK)
        ]
        return np.concatenate(parts) if parts else np.empty((0, weights.shape[1]))


def fit_gaussian_process(
    features: Floats,
    owners: NDArray[np.intp],
    targets: Floats,
    rng: np.random.Generator,
    starts: int = 4,
) -> GaussianProcess:
    """The process of highest posterior density over its length scales and noise.

    Its length scales are penalised towards sqrt(axes), broadly (arXiv:2402.02229), without which
    a dozen trials fit anything; several starts, since the surface has many summits.
    """
    if len(targets) > _FITTED_ON:
        kept = rng.choice(len(targets), _FITTED_ON, replace=False)
        features, targets = features[kept], targets[kept]
    mean, deviation = float(targets.mean()), float(targets.std()) or 1.0
    few = rng.choice(len(targets), min(len(targets), _TUNED_ON), replace=False)
    objective = _Likelihood.of(features[few], owners, (targets[few] - mean) / deviation)
    best = objective.climb(rng, starts)
    scales = np.exp(-best[:-1])[owners]
    noise = float(np.exp(best[-1]))
    kernel = _correlations(features * scales, features * scales)
    kernel[np.diag_indices_from(kernel)] += noise + _JITTER
    residual = targets - mean
    variance = float(residual @ np.linalg.solve(kernel, residual)) / len(targets)
    return GaussianProcess(features, scales, noise, targets, mean, variance)


@dataclass(frozen=True)
class _Likelihood:
    """Minus the log posterior of (log l_1, ..., log l_d, log noise), with its gradient."""

    distances: Floats  # (axes, n * n)
    targets: Floats

    @staticmethod
    def of(features: Floats, owners: NDArray[np.intp], targets: Floats) -> _Likelihood:
        n = len(features)
        distances = np.zeros((int(owners.max()) + 1, n, n))
        for column, owner in zip(features.T, owners, strict=True):
            distances[owner] += (column[:, None] - column[None, :]) ** 2
        return _Likelihood(distances.reshape(-1, n * n), targets)

    def climb(self, rng: np.random.Generator, starts: int) -> Floats:
        from scipy.optimize import minimize

        axes = len(self.distances)
        bounds = [(np.log(0.05), np.log(50.0))] * axes + [(np.log(1e-5), np.log(10.0))]
        centre = 0.5 * np.log(axes)
        best, lowest = np.zeros(axes + 1), np.inf
        for start in range(starts):
            lengths = np.full(axes, centre) if start < 2 else rng.normal(centre - 0.5, 0.8, axes)
            noise = np.log(0.1 if start % 2 == 0 else 0.003)
            found = minimize(
                self,
                np.append(lengths, noise),
                jac=True,
                bounds=bounds,
                method="L-BFGS-B",
                options={"maxiter": 60},
            )
            if found.fun < lowest:
                best, lowest = found.x, found.fun
        return np.asarray(best, dtype=float)

    def __call__(self, logs: Floats) -> tuple[float, Floats]:
        n, axes = len(self.targets), len(self.distances)
        inverse_squares, noise = np.exp(-2.0 * logs[:-1]), np.exp(logs[-1])
        r2 = (inverse_squares @ self.distances).reshape(n, n)
        a = np.sqrt(5.0 * r2)
        decay = np.exp(-a)
        kernel = (1.0 + a + 5.0 / 3.0 * r2) * decay
        kernel[np.diag_indices(n)] += noise + _JITTER
        lower = np.linalg.cholesky(kernel)
        inverse = np.linalg.inv(kernel)
        weights = inverse @ self.targets
        s2 = float(self.targets @ weights) / n
        spread = (logs[:-1] - 0.5 * np.log(axes)) / 1.5
        quiet = (logs[-1] - np.log(0.02)) / 3.0
        value = 0.5 * n * np.log(s2) + np.log(np.diag(lower)).sum()
        value += 0.5 * (spread @ spread) + 0.5 * quiet**2
        slope = 0.5 * (inverse - np.outer(weights, weights) / s2)
        by_r2 = slope * (-5.0 / 6.0) * (1.0 + a) * decay
        gradient = np.empty(axes + 1)
        gradient[:-1] = -2.0 * inverse_squares * (self.distances @ by_r2.ravel()) + spread / 1.5
        gradient[-1] = noise * np.trace(slope) + quiet / 3.0
        return float(value), gradient


def _correlations(a: Floats, b: Floats) -> Floats:
    """(len(a), len(b)) Matérn 5/2 of scaled features."""
    r2 = (a * a).sum(1)[:, None] + (b * b).sum(1)[None, :] - 2.0 * a @ b.T
    np.maximum(r2, 0.0, out=r2)
    root = np.sqrt(5.0 * r2)
    kernel: Floats = (1.0 + root + 5.0 / 3.0 * r2) * np.exp(-root)
    return kernel
