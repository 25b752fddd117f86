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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.stats.intervals import FloatArray
from analysis.surrogate.kernel import AxisKernel, Hyperparameters

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
    """log p(theta | y) of one set of trials, with its gradient.

    Arrays hold all ordered axes at once, first index j: pairs of trials below the diagonal of C
    come first along the last index, then the n trials themselves, the diagonal.
    """

    def __init__(
        self, kernels: Sequence[AxisKernel], units: FloatArray, targets: FloatArray
    ) -> None:
        """Measures distances once; units (n, d), targets (n,) standardised."""
        n = len(targets)
        self.kernels, self.targets, self.prior = kernels, targets, Prior.of(len(kernels))
        self._lower = rows, columns = np.tril_indices(n, -1)
        self._ordered = [j for j, kernel in enumerate(kernels) if not kernel.axis.unordered]
        # c_j of unordered axes depends on no hyperparameter.
        self._c = np.empty((len(kernels), len(rows) + n))
        for j, kernel in enumerate(kernels):
            if kernel.axis.unordered:
                c = kernel.centred(units[:, j], units[:, j], 0.0)
                self._c[j] = np.concatenate([c[rows, columns], np.diag(c)])
        ordered = [kernels[j] for j in self._ordered]
        self._shape = ordered[0] if ordered else None
        places = units[:, self._ordered].T  # (axes, n)
        self._gaps = np.abs(places[:, rows] - places[:, columns])
        nodes, self._weights = _pad([k.nodes for k in ordered]), _pad([k.weights for k in ordered])
        self._node_gaps = np.abs(places[:, :, None] - nodes[:, None, :])  # (axes, n, nodes)
        self._between_nodes = np.abs(nodes[:, :, None] - nodes[:, None, :])

    def log_likelihood(self, theta: FloatArray) -> float:
        """log p(y | theta); -inf outside the prior's bounds."""
        if (theta < self.prior.low).any() or (theta > self.prior.high).any():
            return -np.inf
        hyper = Hyperparameters.of(theta)
        self._centre(hyper.log_lengths)
        product = np.prod(1.0 + hyper.strengths[:, None] * self._c, axis=0)
        try:
            factor = np.linalg.cholesky(self._assemble(product, hyper))
        except np.linalg.LinAlgError:
            return -np.inf
        return _restricted_log_likelihood(factor, self.targets)

    def negative(self, theta: FloatArray) -> tuple[float, FloatArray]:
        """-log p(theta | y) and its gradient (2 d + 2,)."""
        hyper, n, d = Hyperparameters.of(theta), len(self.targets), len(self.kernels)
        slopes = self._centre(hyper.log_lengths, with_slopes=True)
        factors = 1.0 + hyper.strengths[:, None] * self._c
        product = np.prod(factors, axis=0)
        c = self._assemble(product, hyper)
        inverse = np.linalg.inv(c)  # in full: the gradient needs each of its elements
        sums = inverse.sum(axis=1)  # C^-1 1
        mu = float(sums @ self.targets) / sums.sum()
        alpha = inverse @ (self.targets - mu)
        s2 = max(float((self.targets - mu) @ alpha) / (n - 1), 1e-12)
        z = (theta - self.prior.mean) / self.prior.spread
        likelihood = _restricted_log_likelihood(np.linalg.cholesky(c), self.targets)
        # Gradient by C: 1/2 (C^-1 - alpha alpha' / s2 - C^-1 1 1' C^-1 / 1' C^-1 1) (GPML Eq. 5.9).
        by_c = 0.5 * (inverse - np.outer(alpha, alpha) / s2 - np.outer(sums, sums) / sums.sum())
        # An element below the diagonal stands for two of C.
        flat = np.concatenate([2.0 * by_c[self._lower], np.diag(by_c)])
        # dK/dc_j = v_j prod_{k != j} (1 + rho v_k c_k), and dc_j/dlog v_j acts like c_j itself.
        by_centred = hyper.variances[:, None] * (flat * product) / factors
        gradient = z / self.prior.spread
        gradient[self._ordered] += np.einsum("jp,jp->j", by_centred[self._ordered], slopes)
        by_variances = np.einsum("jp,jp->j", by_centred, self._c)
        # dK/dlog rho = sum_j dK/dlog v_j - K
        by_rho = by_variances.sum() - flat @ ((product - 1.0) / hyper.rho)
        # C holds eta V I, and V depends on v_j and rho.
        trace = float(np.trace(by_c))
        v_slopes = hyper.variances * np.prod(1.0 + hyper.strengths) / (1.0 + hyper.strengths)
        gradient[d:-2] += by_variances + hyper.eta * trace * v_slopes
        gradient[-2] += by_rho + hyper.eta * trace * (v_slopes.sum() - hyper.prior_variance)
        gradient[-1] += hyper.noise * trace
        return 0.5 * float(z @ z) - likelihood, gradient

    def _assemble(self, product: FloatArray, hyper: Hyperparameters) -> FloatArray:
        """C from prod_j (1 + rho v_j c_j); symmetric."""
        n = len(self.targets)
        k = (product - 1.0) / hyper.rho
        c = np.empty((n, n))
        rows, columns = self._lower
        c[rows, columns] = c[columns, rows] = k[:-n]
        c[np.diag_indices(n)] = k[-n:] + hyper.noise + JITTER
        return c

    def _centre(self, log_lengths: FloatArray, with_slopes: bool = False) -> FloatArray:
        """Sets c_j of the ordered axes; returns dc_j/dlog l_j (ordered axes, pairs + n), if wanted.

        See `AxisKernel` for the formula of c.
        """
        if self._shape is None:
            return np.empty((0, self._c.shape[1]))
        rows, columns = self._lower
        lengths, w = log_lengths[self._ordered], self._weights
        correlate = self._shape.correlate_with_slope if with_slopes else self._correlate
        at_nodes, at_nodes_slope = correlate(self._node_gaps, lengths[:, None, None])
        between, between_slope = correlate(self._between_nodes, lengths[:, None, None])
        of_pairs, of_pairs_slope = correlate(self._gaps, lengths[:, None])
        m = np.einsum("jnk,jk->jn", at_nodes, w)
        mean = np.einsum("jk,jkl,jl->j", w, between, w)[:, None]
        scale = 1.0 / np.maximum(1.0 - mean, 1e-12)
        # m(x) m(x') of pairs, then of each trial with itself; k(x, x') likewise.
        first, second = np.take(m, rows, axis=1), np.take(m, columns, axis=1)
        products = np.concatenate([first * second, m * m], axis=1)
        c = np.concatenate([of_pairs, np.ones_like(m)], axis=1)
        c -= products / mean
        c *= scale
        self._c[self._ordered] = c
        if not with_slopes:
            return np.empty((0, 0))
        dm = np.einsum("jnk,jk->jn", at_nodes_slope, w)
        dmean = np.einsum("jk,jkl,jl->j", w, between_slope, w)[:, None]
        dproducts = np.take(dm, rows, axis=1) * second + first * np.take(dm, columns, axis=1)
        dproducts = np.concatenate([dproducts, 2.0 * dm * m], axis=1)
        dproducts /= mean
        dc = np.concatenate([of_pairs_slope, np.zeros_like(m)], axis=1)
        dc -= dproducts
        products *= dmean
        products /= mean**2
        dc += products
        c *= dmean
        dc += c
        dc *= scale
        return np.asarray(dc)

    def _correlate(self, gaps: FloatArray, lengths: FloatArray) -> tuple[FloatArray, FloatArray]:
        """k_j without its slope."""
        assert self._shape is not None
        return self._shape.correlate(gaps, lengths), np.empty(0)


def _pad(rows: Sequence[FloatArray]) -> FloatArray:
    """(len(rows), longest) the rows, short ones followed by zeros."""
    padded = np.zeros((len(rows), max(map(len, rows), default=0)))
    for row, values in zip(padded, rows, strict=True):
        row[: len(values)] = values
    return padded


def _restricted_log_likelihood(factor: NDArray[np.floating[Any]], targets: FloatArray) -> float:
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
