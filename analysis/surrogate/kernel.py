"""Kernel of the Gaussian process: a product over axes that separates the orders of interaction.

With c_j a kernel of axis j that is centred under that axis's distribution,

    K = (1/rho) (prod_j (1 + rho v_j c_j) - 1) = sum_j v_j c_j + rho sum_{j<k} v_j v_k c_j c_k + ...

so that each term of the sum is the kernel of one term of the ANOVA decomposition of f (Durrande et
al. 2013, arXiv:1106.3571), and the terms are uncorrelated. rho = 0 is an additive model, a large
rho one of interactions alone (as in the orthogonal additive kernel of Lu et al. 2022,
arXiv:2206.09861, with geometric weights of the orders). Notation: `analysis/surrogate/__init__.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from analysis.stats.intervals import FloatArray
from analysis.surrogate.unit_cube import Axis

Smoothness = Literal["5/2", "3/2"]
"""Order of the Matern kernel: functions are twice or once differentiable."""

NODES = 32
"""Nodes of an axis that integrals over it are sums of."""

_ROWS_AT_ONCE = 64


@dataclass(frozen=True)
class AxisKernel:
    """The centred kernel c_j of one axis, for any length scale.

        c(x, x') = (k(x, x') - m(x) m(x') / M) / (1 - M),  m(x) = E k(x, .),  M = E m

    with expectations under the axis's distribution.
    """

    axis: Axis
    smoothness: Smoothness

    @cached_property
    def nodes(self) -> FloatArray:
        """(nodes,) quantiles, ascending."""
        return self.axis.grid(NODES)[0]

    @cached_property
    def weights(self) -> FloatArray:
        """(nodes,) their probabilities."""
        return self.axis.grid(NODES)[1]

    def correlate(self, gaps: FloatArray, log_length: float | FloatArray) -> FloatArray:
        """k_j at distances |x - x'| of any shape (GPML Eq. 4.17)."""
        if self.axis.unordered:
            return np.asarray(gaps < 1e-9, dtype=float)
        r = gaps * (self._rate * np.exp(-log_length))
        return self._matern(r, _decay(r))

    def correlate_with_slope(
        self, gaps: FloatArray, log_length: float | FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """k_j of an ordered axis, and its derivative by log l_j, at distances of any shape."""
        r = gaps * (self._rate * np.exp(-log_length))
        decay = _decay(r)
        slope = r * r
        if self.smoothness == "5/2":
            slope *= 1.0 + r
            slope /= 3.0
        slope *= decay
        return self._matern(r, decay), slope

    def _matern(self, r: FloatArray, decay: FloatArray) -> FloatArray:
        """k_j at scaled distances r, which are overwritten; decay: exp(-r)."""
        k = 1.0 + r
        if self.smoothness == "5/2":
            r *= r
            r /= 3.0
            k += r
        k *= decay
        return np.asarray(k)

    def centred(self, a: FloatArray, b: FloatArray, log_length: float) -> FloatArray:
        """(len(a), len(b)) c_j between two sets of quantiles."""
        m_a, m_b = self.mean_at(a, log_length), self.mean_at(b, log_length)
        kernel = self.correlate(distances(a, b), log_length)
        return centre(kernel, m_a, m_b, self.mean(log_length))

    def mean_at(self, points: FloatArray, log_length: float) -> FloatArray:
        """(points,) m, the mean of k_j between each point and the axis's distribution."""
        k = self.correlate(distances(points, self.nodes), log_length)
        return np.asarray(k @ self.weights)

    def inner_products(self, points: FloatArray, log_length: float) -> FloatArray:
        """(len(points), len(points)) E[c_j(., x) c_j(., x')] under the axis's distribution."""
        at_nodes = self.centred(self.nodes, points, log_length)
        return np.asarray((at_nodes * self.weights[:, None]).T @ at_nodes)

    @property
    def _rate(self) -> float:
        return float(np.sqrt(3.0 if self.smoothness == "3/2" else 5.0))

    @cached_property
    def node_gaps(self) -> FloatArray:
        """(nodes, nodes) distances between nodes."""
        return distances(self.nodes, self.nodes)

    def mean(self, log_length: float) -> float:
        """M, the mean of m under the axis's distribution."""
        kernel = self.correlate(self.node_gaps, log_length)
        return float(self.weights @ kernel @ self.weights)


def distances(a: FloatArray, b: FloatArray) -> FloatArray:
    """(len(a), len(b)) distances between quantiles of one axis."""
    gaps = a[:, None] - b[None, :]
    return np.asarray(np.abs(gaps, out=gaps))


def centre(kernel: FloatArray, m_a: FloatArray, m_b: FloatArray, mean: float) -> FloatArray:
    """c_j from k_j between two sets of quantiles, which is overwritten (see `AxisKernel`)."""
    products = np.outer(m_a, m_b)
    products /= mean
    kernel -= products
    kernel /= max(1.0 - mean, 1e-12)
    return kernel


def _decay(r: FloatArray) -> FloatArray:
    """exp(-r)."""
    negative = np.negative(r)
    return np.asarray(np.exp(negative, out=negative))


@dataclass(frozen=True)
class Hyperparameters:
    """theta by its parts: log_lengths and variances (d,), rho and eta."""

    log_lengths: FloatArray
    variances: FloatArray
    rho: float
    eta: float

    @staticmethod
    def of(theta: FloatArray) -> Hyperparameters:
        """The parts of theta (2 d + 2,)."""
        d = len(theta) // 2 - 1
        return Hyperparameters(
            theta[:d], np.exp(theta[d:-2]), float(np.exp(theta[-2])), float(np.exp(theta[-1]))
        )

    @property
    def strengths(self) -> FloatArray:
        """(d,) rho v_j."""
        return self.rho * self.variances

    @property
    def prior_variance(self) -> float:
        """V, the prior variance of a function over s2."""
        return float((np.prod(1.0 + self.strengths) - 1.0) / self.rho)

    @property
    def noise(self) -> float:
        """eta V, the noise variance over s2."""
        return self.eta * self.prior_variance


def covariance(
    kernels: Sequence[AxisKernel], hyper: Hyperparameters, a: FloatArray, b: FloatArray
) -> FloatArray:
    """(len(a), len(b)) K between two sets of points (points, d)."""
    lengths, strengths = hyper.log_lengths, hyper.strengths
    means = [kernel.mean(length) for kernel, length in zip(kernels, lengths, strict=True)]
    is_symmetric = a is b
    m_a = [kernel.mean_at(a[:, j], lengths[j]) for j, kernel in enumerate(kernels)]
    m_b = m_a
    if not is_symmetric:
        m_b = [kernel.mean_at(b[:, j], lengths[j]) for j, kernel in enumerate(kernels)]
    product = np.ones((len(a), len(b)))
    # A few rows at a time stay in the processor's cache.
    for start in range(0, len(a), _ROWS_AT_ONCE):
        end = min(start + _ROWS_AT_ONCE, len(a))
        columns = end if is_symmetric else len(b)  # above the diagonal K is what it is below
        block = product[start:end, :columns]
        for j, kernel in enumerate(kernels):
            k = kernel.correlate(distances(a[start:end, j], b[:columns, j]), lengths[j])
            c = centre(k, m_a[j][start:end], m_b[j][:columns], means[j])
            c *= strengths[j]
            c += 1.0
            block *= c
        if is_symmetric:
            product[:start, start:end] = block[:, :start].T
    product -= 1.0
    product /= hyper.rho
    return product
