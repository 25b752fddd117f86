"""Distances between points of the unit cube, some of whose axes are unordered choices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.stats.intervals import FloatArray

_BETWEEN_CHOICES = 0.5  # distance; about that of two uniform quantiles (root mean square 0.41)


def embed_points(units: FloatArray, levels: Sequence[Sequence[float]]) -> FloatArray:
    """(points, coordinates) coordinates whose Euclidean distance says how different points are.

    Args:
        units: (points, axes) quantiles.
        levels: the quantiles of each unordered axis's levels; empty for the other axes.
    """
    columns = []
    for j, of_axis in enumerate(levels):
        if not of_axis:
            columns.append(units[:, j : j + 1])
            continue
        # One coordinate for each level: different levels are sqrt(2) times its length apart.
        is_level = np.isclose(units[:, j, None], np.asarray(of_axis)[None, :])
        columns.append(is_level * (_BETWEEN_CHOICES / np.sqrt(2.0)))
    return np.asarray(np.concatenate(columns, axis=1), dtype=float)


def pairwise_distances(a: FloatArray, b: FloatArray) -> FloatArray:
    """(len(a), len(b)) Euclidean distances between embedded points."""
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None, :] - 2.0 * a @ b.T
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)), dtype=float)


def nearest_distances(points: FloatArray) -> FloatArray:
    """(points,) distance of each embedded point to the nearest other one."""
    distances = pairwise_distances(points, points)
    np.fill_diagonal(distances, np.inf)
    return np.asarray(distances.min(axis=1))
