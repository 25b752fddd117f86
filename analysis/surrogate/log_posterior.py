"""Log posterior of the Gaussian process's hyperparameters, and Laplace draws from it.

    log p(theta | y) = -n/2 log s2 - 1/2 log |C| - |theta - theta_0|^2 / (2 spread^2) + constant

the marginal likelihood (GPML Eq. 5.8) with the scale s2 at its maximum, times a Gaussian prior
about theta_0. Notation: `analysis/surrogate/__init__.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.stats.intervals import FloatArray
from analysis.surrogate import kernel
from analysis.surrogate.unit_cube import Axis

JITTER = 1e-8
"""Added to the diagonal of C, which repeated trials of one configuration would make singular."""

_PRIOR_SPREAD = 1.5  # standard deviation of the prior on the kernel's log-parameters
_NOISE_SPREAD = 2 * _PRIOR_SPREAD
_PRIOR_LOG_NOISE = float(np.log(0.02))
_DIFFERENCE_STEP = 1e-3
# Least curvature that a Laplace draw assumes: about that of the widest prior, 1 / _NOISE_SPREAD^2.
_MIN_CURVATURE = 0.1


def draw_starts(axes: int, count: int, rng: np.random.Generator) -> list[FloatArray]:
    """`count` starting points theta for the optimiser: the prior mean, then points near it.

    The likelihood has many local maxima, so that one start is not enough.
    """
    mean = np.append(kernel.prior_mean(axes), _PRIOR_LOG_NOISE)
    return [mean, *(mean + rng.normal(-0.4, 0.7, len(mean)) for _ in range(count - 1))]


@dataclass(frozen=True)
class NegativeLogPosterior:
    """Minus log p(theta | y) as a function of theta, with its gradient.

    The prior is broad (as in arXiv:2402.02229 for length scales); without it a dozen trials can be
    fitted by anything. Only the lower triangle of K is computed.
    """

    distances: FloatArray  # (d, n (n + 1) / 2), the lower triangle by rows
    targets: FloatArray  # (n,), standardised

    @staticmethod
    def of(axes: Sequence[Axis], units: FloatArray, targets: FloatArray) -> NegativeLogPosterior:
        """The function for these trials: units (n, d), targets (n,)."""
        full = kernel.squared_distances(units, units, axes)
        rows, columns = np.tril_indices(len(targets))
        deviation = float(targets.std()) or 1.0
        return NegativeLogPosterior(full[:, rows, columns], (targets - targets.mean()) / deviation)

    def bounds(self) -> list[tuple[float, float]]:
        """Ends of each element of theta for the optimiser."""
        mean = kernel.prior_mean(len(self.distances))
        return [(c - 5.0, c + 5.0) for c in mean] + [(float(np.log(1e-5)), float(np.log(10.0)))]

    def __call__(self, log_params: FloatArray) -> tuple[float, FloatArray]:
        """-log p(theta | y) and its gradient (2 d + 2,)."""
        n = len(self.targets)
        rows, columns = np.tril_indices(n)
        noise = float(np.exp(log_params[-1]))
        covariances, pullback = kernel.covariance_and_pullback(log_params[:-1], self.distances)
        c = np.zeros((n, n))
        c[rows, columns] = c[columns, rows] = covariances  # both triangles from one
        c[np.diag_indices(n)] += noise + JITTER
        # log |C| = 2 sum_i log L_ii with C = L L' (GPML Eq. A.18)
        log_determinant = 2.0 * np.log(np.diag(np.linalg.cholesky(c))).sum()
        inverse = np.linalg.inv(c)  # in full: the gradient needs each of its elements
        alpha = inverse @ self.targets
        s2 = max(float(self.targets @ alpha) / n, 1e-12)  # 0 where all targets are equal
        # Distances from the prior's mean in its standard deviations.
        z = (log_params[:-1] - kernel.prior_mean(len(self.distances))) / _PRIOR_SPREAD
        z_noise = (log_params[-1] - _PRIOR_LOG_NOISE) / _NOISE_SPREAD
        density = 0.5 * (n * np.log(s2) + log_determinant + z @ z + z_noise * z_noise)
        # Gradient by C: 1/2 (C^-1 - alpha alpha' / s2) (GPML Eq. 5.9, s2 at its maximum).
        by_c = 0.5 * (inverse - np.outer(alpha, alpha) / s2)
        # An element of the lower triangle stands for two of C, save on the diagonal.
        twice = np.where(rows == columns, 1.0, 2.0) * by_c[rows, columns]
        by_kernel = pullback(twice) + z / _PRIOR_SPREAD
        by_noise = noise * np.trace(by_c) + z_noise / _NOISE_SPREAD
        return float(density), np.append(by_kernel, by_noise)

    def draw_laplace(
        self, log_params: FloatArray, count: int, rng: np.random.Generator
    ) -> FloatArray:
        """(count, 2 d + 2) draws of theta from the Laplace approximation about its mode.

        That is the Gaussian N(mode, H^-1), H the Hessian of -log p(theta | y) at `log_params`
        (GPML Section 3.4); clipped to `bounds`.
        """
        steps = _DIFFERENCE_STEP * np.eye(len(log_params))
        # A row of H for each element of theta, by central differences of the exact gradient.
        hessian = np.array(
            [self(log_params + step)[1] - self(log_params - step)[1] for step in steps]
        ) / (2 * _DIFFERENCE_STEP)
        # H = Q diag(curvatures) Q', symmetrised; draws are mode + Q diag(curvatures)^-1/2 normal.
        curvatures, directions = np.linalg.eigh(0.5 * (hessian + hessian.T))
        # Where the optimiser stopped short or at a bound, a curvature may be 0 or less.
        root = directions / np.sqrt(np.maximum(curvatures, _MIN_CURVATURE))
        low, high = np.array(self.bounds()).T
        draws: FloatArray = log_params + rng.normal(size=(count, len(log_params))) @ root.T
        return np.clip(draws, low, high)
