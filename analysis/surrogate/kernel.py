"""The kernel of the Gaussian process: single axes and pairs of them, no more.

Symbols, for axes j of the unit cube: D_j squared distances along it, l_j a length scale, v_j a
weight, k_j = v_j m(D_j / l_j^2) with m the Matérn 5/2 correlation (Eq. 4.17 of Rasmussen and
Williams, 2006), S = sum_j k_j, w the weight of pairs:

    K = S + w sum_{j<k} k_j k_k = S + w/2 (S^2 - sum_j k_j^2)

the first two orders of Duvenaud et al. 2011 (arXiv:1112.4394). `logs` holds the log l_j, the
log v_j and log w.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from analysis.stats.intervals import FloatArray
from analysis.surrogate.unit_cube import Axis


def squared_distances(a: FloatArray, b: FloatArray, axes: Sequence[Axis]) -> FloatArray:
    """(axes, len(a), len(b)) squared distances of quantiles; 1 between two unordered levels."""
    found = np.empty((len(axes), len(a), len(b)))
    for j, axis in enumerate(axes):
        gap = a[:, None, j] - b[None, :, j]
        found[j] = np.abs(gap) > 1e-12 if axis.unordered else gap * gap
    return found


def prior_mean(axes: int) -> FloatArray:
    """The log-parameters expected before any trial is seen: smooth, pairs about as strong."""
    return np.concatenate([np.full(axes, -0.3), np.zeros(axes), [-1.0 - np.log(axes)]])


def unpack(logs: FloatArray) -> tuple[FloatArray, FloatArray, float]:
    """1 / l_j^2, v_j, w."""
    axes = (len(logs) - 1) // 2
    return np.exp(-2.0 * logs[:axes]), np.exp(logs[axes:-1]), float(np.exp(logs[-1]))


def pair_weight(logs: FloatArray, axes: int) -> float:
    """w, whether or not a log noise follows the kernel's own parameters."""
    return float(np.exp(logs[2 * axes]))


def axis_kernels(logs: FloatArray, distances: FloatArray) -> FloatArray:
    """(axes, n, m) the k_j."""
    scales, weights, _ = unpack(logs)
    return weights[:, None, None] * _matern(distances * scales[:, None, None])


def covariance(logs: FloatArray, distances: FloatArray) -> FloatArray:
    """The covariances K at `distances` (axes, ...)."""
    scales, weights, pairs = unpack(logs)
    total, squares = np.zeros(distances.shape[1:]), np.zeros(distances.shape[1:])
    for d, scale, weight in zip(distances, scales, weights, strict=True):
        part = weight * _matern(d * scale)
        total += part
        squares += part * part
    return np.asarray(total + 0.5 * pairs * (total * total - squares))


def covariance_and_pullback(
    logs: FloatArray, distances: FloatArray
) -> tuple[FloatArray, Callable[[FloatArray], FloatArray]]:
    """K at `distances` (axes, m), and the map from a slope (m,) to d/dlogs of sum(slope * K)."""
    scales, weights, pairs = unpack(logs)
    root = np.sqrt(5.0 * scales[:, None] * distances)
    decay = weights[:, None] * np.exp(-root)
    parts = (1.0 + root + root * root / 3.0) * decay
    total = parts.sum(axis=0)
    both = total * total - (parts * parts).sum(axis=0)

    def pullback(slope: FloatArray) -> FloatArray:
        through = slope * (1.0 + pairs * (total - parts))
        by_length = np.einsum("jm,jm->j", through, (1.0 + root) * root * root * decay) / 3.0
        by_weight = np.einsum("jm,jm->j", through, parts)
        return np.concatenate([by_length, by_weight, [0.5 * pairs * (slope @ both)]])

    return total + 0.5 * pairs * both, pullback


def _matern(r2: FloatArray) -> FloatArray:
    root = np.sqrt(5.0 * r2)
    return np.asarray((1.0 + root + 5.0 / 3.0 * r2) * np.exp(-root))
