"""Log posterior of the Gaussian process's hyperparameters theta.

The likelihood is restricted: mu and s2 are integrated out under flat priors (GPML Section 2.7),

    log p(y | theta) = -1/2 log |C| - 1/2 log 1' C^-1 1 - (n - 1)/2 log s2 + constant

The prior on theta is normal and independent. It decides what trials cannot: a rough function of
many interacting axes and noise look alike in a few dozen points, and the prior then says noise. It
expects few active axes: the v_j are spread over several orders of magnitude about a small one.
Notation: `analysis/surrogate/__init__.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.stats.intervals import FloatArray
from analysis.surrogate.kernel import AxisKernel, Hyperparameters, distances

JITTER = 1e-7
"""Added to the diagonal of C, which repeated trials of one configuration could make singular."""

# Mean and standard deviation of the prior on log l_j, log v_j, log rho and log eta, chosen on the
# first half of the objectives of benchmarks/claims.py.
_LOG_LENGTH = (float(np.log(0.6)), 0.8)
_LOG_VARIANCE = (-2.5, 2.0)
_LOG_RHO = (-1.0, 1.5)
_LOG_ETA = (0.0, 1.5)

_LENGTHS = (0.1, 4.0)  # shorter ones look like noise, longer ones like straight lines
_RHOS = (1e-3, 1e2)
_ETAS = (1e-5, 50.0)
_SPREADS_WITHIN_BOUNDS = 4.0


@dataclass(frozen=True)
class Prior:
    """Normal prior on theta: mean, spread and bounds, (2 d + 2,) each."""

    mean: FloatArray
    spread: FloatArray
    low: FloatArray
    high: FloatArray

    @staticmethod
    def of(axes: int) -> Prior:
        """The prior for this many axes."""

        def stack(at: int) -> FloatArray:
            each = [_LOG_LENGTH[at]] * axes + [_LOG_VARIANCE[at]] * axes
            return np.array([*each, _LOG_RHO[at], _LOG_ETA[at]])

        mean, spread = stack(0), stack(1)
        low, high = mean - _SPREADS_WITHIN_BOUNDS * spread, mean + _SPREADS_WITHIN_BOUNDS * spread
        low[:axes], high[:axes] = np.log(_LENGTHS)
        low[-2:], high[-2:] = np.log([_RHOS[0], _ETAS[0]]), np.log([_RHOS[1], _ETAS[1]])
        return Prior(mean, spread, low, high)

    def starts(self) -> tuple[FloatArray, FloatArray]:
        """Two starts for an optimiser: the prior's mean, and interactions with little noise."""
        interacting = self.mean.copy()
        interacting[-2:] = np.log([10.0, 0.05])
        return self.mean, interacting


class LogPosterior:
    """log p(theta | y) of one set of trials, with its gradient."""

    def __init__(
        self, kernels: Sequence[AxisKernel], units: FloatArray, targets: FloatArray
    ) -> None:
        """Measures distances once; units (n, d), targets (n,) standardised."""
        n = len(targets)
        self.kernels, self.targets, self.prior = kernels, targets, Prior.of(len(kernels))
        self._lower = np.tril_indices(n, -1)
        rows, columns = self._lower
        # Distances between trials, below the diagonal alone, and from trials to nodes.
        self._gaps = [np.abs(units[rows, j] - units[columns, j]) for j in range(len(kernels))]
        self._node_gaps = [distances(units[:, j], k.nodes) for j, k in enumerate(kernels)]

    def log_likelihood(self, theta: FloatArray) -> float:
        """log p(y | theta); -inf outside the prior's bounds."""
        if (theta < self.prior.low).any() or (theta > self.prior.high).any():
            return -np.inf
        hyper = Hyperparameters.of(theta)
        n = len(self.targets)
        below, diagonal = np.ones(len(self._gaps[0])), np.ones(n)
        for j, (kernel, strength) in enumerate(zip(self.kernels, hyper.strengths, strict=True)):
            c, c_diagonal = self._centred(j, kernel, hyper.log_lengths[j])
            below *= 1.0 + strength * c
            diagonal *= 1.0 + strength * c_diagonal
        c = self._assemble(below, diagonal, hyper)
        try:
            factor = np.linalg.cholesky(c)
        except np.linalg.LinAlgError:
            return -np.inf
        return _restricted_log_likelihood(factor, self.targets)

    def negative(self, theta: FloatArray) -> tuple[float, FloatArray]:
        """-log p(theta | y) and its gradient (2 d + 2,)."""
        hyper, n, d = Hyperparameters.of(theta), len(self.targets), len(self.kernels)
        parts = [
            self._centred_and_slopes(j, kernel, hyper.log_lengths[j])
            for j, kernel in enumerate(self.kernels)
        ]
        # 1 + rho v_j c_j of each axis, at all pairs below the diagonal and then on it.
        factors = [
            1.0 + strength * c for strength, (c, _) in zip(hyper.strengths, parts, strict=True)
        ]
        product = np.prod(factors, axis=0)
        pairs = len(self._gaps[0])
        c = self._assemble(product[:pairs], product[pairs:], hyper)
        inverse = np.linalg.inv(c)  # in full: the gradient needs each of its elements
        sums = inverse.sum(axis=1)  # C^-1 1
        mu = float(sums @ self.targets) / sums.sum()
        alpha = inverse @ (self.targets - mu)
        s2 = max(float((self.targets - mu) @ alpha) / (n - 1), 1e-12)
        z = (theta - self.prior.mean) / self.prior.spread
        factor = np.linalg.cholesky(c)
        value = -_restricted_log_likelihood(factor, self.targets) + 0.5 * float(z @ z)
        # Gradient by C: 1/2 (C^-1 - alpha alpha' / s2 - C^-1 1 1' C^-1 / 1' C^-1 1) (GPML Eq. 5.9).
        by_c = 0.5 * (inverse - np.outer(alpha, alpha) / s2 - np.outer(sums, sums) / sums.sum())
        # An element below the diagonal stands for two of C.
        flat = np.concatenate([2.0 * by_c[self._lower], np.diag(by_c)])
        by_product = flat * product
        gradient = z / self.prior.spread
        for j, ((centred, slopes), factor_j) in enumerate(zip(parts, factors, strict=True)):
            # dK/dlog l_j = v_j prod_{k != j} (1 + rho v_k c_k) dc_j/dlog l_j, and so for log v_j.
            others = by_product / factor_j * hyper.variances[j]
            gradient[j] += others @ slopes
            gradient[d + j] += others @ centred
        by_variances = gradient[d:-2] - z[d:-2] / self.prior.spread[d:-2]
        # dK/dlog rho = sum_j dK/dlog v_j - K
        gradient[-2] += by_variances.sum() - flat @ ((product - 1.0) / hyper.rho)
        # C holds eta V I, and V depends on v_j and rho.
        trace = float(np.trace(by_c))
        v_slopes = hyper.variances * np.prod(1.0 + hyper.strengths) / (1.0 + hyper.strengths)
        gradient[d:-2] += hyper.eta * trace * v_slopes
        gradient[-2] += hyper.eta * trace * (v_slopes.sum() - hyper.prior_variance)
        gradient[-1] += hyper.noise * trace
        return value, gradient

    def _assemble(
        self, below: FloatArray, diagonal: FloatArray, hyper: Hyperparameters
    ) -> FloatArray:
        """C from the products over axes, below the diagonal and on it; symmetric."""
        n = len(self.targets)
        c = np.empty((n, n))
        rows, columns = self._lower
        c[rows, columns] = c[columns, rows] = (below - 1.0) / hyper.rho
        c[np.diag_indices(n)] = (diagonal - 1.0) / hyper.rho + hyper.noise + JITTER
        return c

    def _centred(
        self, j: int, kernel: AxisKernel, log_length: float
    ) -> tuple[FloatArray, FloatArray]:
        """c_j at all pairs below the diagonal, and on the diagonal (n,)."""
        rows, columns = self._lower
        m = kernel.correlate(self._node_gaps[j], log_length) @ kernel.weights
        mean = float(
            kernel.weights @ kernel.correlate(kernel.node_gaps, log_length) @ kernel.weights
        )
        scale = 1.0 / max(1.0 - mean, 1e-12)
        k = kernel.correlate(self._gaps[j], log_length)
        return (k - m[rows] * m[columns] / mean) * scale, (1.0 - m * m / mean) * scale

    def _centred_and_slopes(
        self, j: int, kernel: AxisKernel, log_length: float
    ) -> tuple[FloatArray, FloatArray]:
        """c_j and its derivative by log l_j: pairs below the diagonal, then the diagonal."""
        rows, columns = self._lower
        w = kernel.weights
        m = kernel.correlate(self._node_gaps[j], log_length) @ w
        dm = kernel.slope(self._node_gaps[j], log_length) @ w
        mean = float(w @ kernel.correlate(kernel.node_gaps, log_length) @ w)
        dmean = float(w @ kernel.slope(kernel.node_gaps, log_length) @ w)
        scale = 1.0 / max(1.0 - mean, 1e-12)
        k, dk = kernel.correlate(self._gaps[j], log_length), kernel.slope(self._gaps[j], log_length)
        # m(x) m(x') and its derivative; on the diagonal k = 1 and dk = 0.
        products = np.concatenate([m[rows] * m[columns], m * m])
        slopes = np.concatenate([dm[rows] * m[columns] + m[rows] * dm[columns], 2.0 * dm * m])
        k, dk = np.concatenate([k, np.ones(len(m))]), np.concatenate([dk, np.zeros(len(m))])
        c = (k - products / mean) * scale
        dc = (dk - slopes / mean + products * dmean / mean**2) * scale + c * dmean * scale
        return c, dc


def _restricted_log_likelihood(factor: FloatArray, targets: FloatArray) -> float:
    """log p(y | theta) from the lower Cholesky factor of C."""
    from scipy.linalg import solve_triangular

    n = len(targets)
    solved = solve_triangular(
        factor, np.column_stack([np.ones(n), targets]), lower=True, check_finite=False
    )
    ones = float(solved[:, 0] @ solved[:, 0])  # 1' C^-1 1
    mu = float(solved[:, 0] @ solved[:, 1]) / ones
    s2 = max(float(solved[:, 1] @ solved[:, 1] - mu * mu * ones) / (n - 1), 1e-12)
    # log |C| = 2 sum_i log L_ii with C = L L' (GPML Eq. A.18)
    log_determinant = 2.0 * float(np.log(np.diag(factor)).sum())
    return -0.5 * (log_determinant + float(np.log(ones)) + (n - 1) * float(np.log(s2)))
