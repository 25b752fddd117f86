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
        if self.smoothness == "3/2":
            return np.asarray((1.0 + r) * np.exp(-r))
        return np.asarray((1.0 + r + r * r / 3.0) * np.exp(-r))

    def slope(self, gaps: FloatArray, log_length: float | FloatArray) -> FloatArray:
        """Derivative of k_j of an ordered axis by log l_j, at distances of any shape."""
        r = gaps * (self._rate * np.exp(-log_length))
        if self.smoothness == "3/2":
            return np.asarray(r * r * np.exp(-r))
        return np.asarray(r * r * (1.0 + r) / 3.0 * np.exp(-r))

    def centred(self, a: FloatArray, b: FloatArray, log_length: float) -> FloatArray:
        """(len(a), len(b)) c_j between two sets of quantiles."""
        m_a = self.correlate(distances(a, self.nodes), log_length) @ self.weights
        m_b = self.correlate(distances(b, self.nodes), log_length) @ self.weights
        mean = self._mean(log_length)
        kernel = self.correlate(distances(a, b), log_length)
        return np.asarray((kernel - np.outer(m_a, m_b) / mean) / max(1.0 - mean, 1e-12))

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

    def _mean(self, log_length: float) -> float:
        kernel = self.correlate(self.node_gaps, log_length)
        return float(self.weights @ kernel @ self.weights)


def distances(a: FloatArray, b: FloatArray) -> FloatArray:
    """(len(a), len(b)) distances between quantiles of one axis."""
    return np.asarray(np.abs(a[:, None] - b[None, :]))


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
    product = np.ones((len(a), len(b)))
    for j, kernel in enumerate(kernels):
        centred = kernel.centred(a[:, j], b[:, j], hyper.log_lengths[j])
        product *= 1.0 + hyper.strengths[j] * centred
    return (product - 1.0) / hyper.rho
