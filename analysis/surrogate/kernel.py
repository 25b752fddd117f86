"""Kernel of the Gaussian process: a sum over axes and over pairs of axes.

With k_j the Matérn 5/2 kernel of axis j (GPML Eq. 4.17) and S = sum_j k_j:

    K = S + w sum_{j<k} k_j k_k = S + w/2 (S^2 - sum_j k_j^2)

This is the additive kernel of Duvenaud et al. 2011 (arXiv:1112.4394), cut off after pairs:
interactions of three parameters are left to the forest. Notation: `analysis/surrogate/__init__.py`;
`log_params` here is theta without the log noise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from analysis.stats.intervals import FloatArray
from analysis.surrogate.unit_cube import Axis


def squared_distances(a: FloatArray, b: FloatArray, axes: Sequence[Axis]) -> FloatArray:
    """(d, len(a), len(b)) D_j between two sets of points; 1 between different unordered levels."""
    distances = np.empty((len(axes), len(a), len(b)))
    for j, axis in enumerate(axes):
        gap = a[:, None, j] - b[None, :, j]
        distances[j] = np.abs(gap) > 1e-12 if axis.unordered else gap * gap
    return distances


def prior_mean(axes: int) -> FloatArray:
    """(2 d + 1,) mean of the prior on log_params: smooth axes, pairs about as strong as axes.

    Log w falls with log d because there are about d times as many pairs as axes.
    """
    return np.concatenate([np.full(axes, -0.3), np.zeros(axes), [-1.0 - np.log(axes)]])


def unpack(log_params: FloatArray) -> tuple[FloatArray, FloatArray, float]:
    """1 / l_j^2 (d,), v_j (d,) and w."""
    axes = (len(log_params) - 1) // 2
    return (
        np.exp(-2.0 * log_params[:axes]),
        np.exp(log_params[axes:-1]),
        float(np.exp(log_params[-1])),
    )


def pair_weight(log_params: FloatArray, axes: int) -> float:
    """Return w, whether or not the log noise follows the kernel's own parameters."""
    return float(np.exp(log_params[2 * axes]))


def axis_kernels(log_params: FloatArray, distances: FloatArray) -> FloatArray:
    """(d, n, m) the k_j at `distances` (d, n, m)."""
    inverse_l2, variances, _ = unpack(log_params)
    return variances[:, None, None] * _matern52(distances * inverse_l2[:, None, None])


def covariance(log_params: FloatArray, distances: FloatArray) -> FloatArray:
    """K at `distances` (d, ...)."""
    inverse_l2, variances, w = unpack(log_params)
    total, squares = np.zeros(distances.shape[1:]), np.zeros(distances.shape[1:])
    for d_j, scale, variance in zip(distances, inverse_l2, variances, strict=True):
        k_j = variance * _matern52(d_j * scale)
        total += k_j
        squares += k_j * k_j
    # (sum_j k_j)^2 holds each pair twice and each square once: all pairs without a double loop.
    return np.asarray(total + 0.5 * w * (total * total - squares))


def covariance_and_pullback(
    log_params: FloatArray, distances: FloatArray
) -> tuple[FloatArray, Callable[[FloatArray], FloatArray]]:
    """K at `distances` (d, m), and its reverse-mode derivative.

    The pullback maps dL/dK (m,) to dL/dlog_params (2 d + 1,) for any scalar L.
    """
    inverse_l2, variances, w = unpack(log_params)
    # r = sqrt(5) |x - x'| / l_j; v exp(-r) is a factor of both the Matérn kernel and its slope.
    r = np.sqrt(5.0 * inverse_l2[:, None] * distances)
    decay = variances[:, None] * np.exp(-r)
    k = (1.0 + r + r * r / 3.0) * decay  # (d, m) the k_j
    total = k.sum(axis=0)
    twice_pairs = total * total - (k * k).sum(axis=0)

    def pullback(slope: FloatArray) -> FloatArray:
        # dK/dk_j = 1 + w sum_{i != j} k_i
        by_kernel = slope * (1.0 + w * (total - k))
        # dk_j/dlog l_j = v r^2 (1 + r) exp(-r) / 3; dk_j/dlog v_j = k_j; dK/dlog w = the pair term
        by_length = np.einsum("jm,jm->j", by_kernel, (1.0 + r) * r * r * decay) / 3.0
        by_variance = np.einsum("jm,jm->j", by_kernel, k)
        return np.concatenate([by_length, by_variance, [0.5 * w * (slope @ twice_pairs)]])

    return total + 0.5 * w * twice_pairs, pullback


def _matern52(squared: FloatArray) -> FloatArray:
    """Matérn 5/2 correlation at squared distances in units of l_j^2."""
    r = np.sqrt(5.0 * squared)
    return np.asarray((1.0 + r + 5.0 / 3.0 * squared) * np.exp(-r))
