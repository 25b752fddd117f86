"""Axes of every kind, with random points, for tests of the surrogate."""

from __future__ import annotations

import numpy as np

from analysis.stats.intervals import FloatArray
from analysis.surrogate.kernel import AxisKernel, Smoothness
from analysis.surrogate.unit_cube import Axis

AXES = (
    Axis("a", "continuous"),
    Axis("b", "continuous, some of it rare", density=(1.0, 0.2, 0.6, 0.9)),
    Axis("c", "ordered levels", (0.1, 0.4, 0.8), (0.2, 0.6)),
    Axis("d", "choices", (1 / 6, 0.5, 5 / 6), (1 / 3, 2 / 3), unordered=True),
    Axis("e", "choices, some rare", (0.25, 0.75), (0.5,), unordered=True, density=(0.9, 0.3)),
)

# log l_j, log v_j, log rho, log eta
THETA = np.array([-0.9, -0.3, 0.2, 0.0, 0.0, -0.5, -1.0, 0.3, -0.2, -0.8, -0.4, -1.5])


def make_kernels(smoothness: Smoothness = "5/2") -> tuple[AxisKernel, ...]:
    return tuple(AxisKernel(axis, smoothness) for axis in AXES)


def draw_points(count: int, rng: np.random.Generator) -> FloatArray:
    """(count, axes) points under the prior."""
    return np.column_stack([axis.snap(rng.random(count)) for axis in AXES])


def draw_results(points: FloatArray, noise: float, rng: np.random.Generator) -> FloatArray:
    """(count,) a function of all axes, with noise."""
    a, b, c, d, e = points.T
    clean = np.sin(4.0 * a) + b * c + (d == 0.5) + (e > 0.5) * a
    return np.asarray(20.0 + clean + noise * rng.normal(size=len(points)))
