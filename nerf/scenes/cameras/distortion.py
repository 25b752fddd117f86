"""OpenCV's lens distortion, k1 k2 p1 p2, there and back.

Points lie on the image plane at distance 1, x right and y down. The model is the one that COLMAP
(OPENCV, RADIAL, SIMPLE_RADIAL) and instant-ngp share: with r^2 = x^2 + y^2,

    x' = x (1 + k1 r^2 + k2 r^4) + 2 p1 x y + p2 (r^2 + 2 x^2)
    y' = y (1 + k1 r^2 + k2 r^4) + 2 p2 x y + p1 (r^2 + 2 y^2)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

_STEPS = 20
_CLOSE = 1e-12


def distort(x: Array, y: Array, coefficients: Array) -> tuple[Array, Array]:
    """Where the lens shows a point of the ideal plane; `coefficients` are (k1, k2, p1, p2)."""
    k1, k2, p1, p2 = (float(c) for c in coefficients)
    square = x * x + y * y
    radial = 1 + square * (k1 + square * k2)
    return (
        x * radial + 2 * p1 * x * y + p2 * (square + 2 * x * x),
        y * radial + 2 * p2 * x * y + p1 * (square + 2 * y * y),
    )


def undistort(x: Array, y: Array, coefficients: Array) -> tuple[Array, Array]:
    """The ideal point that the lens shows at (x, y), by Newton's method from (x, y).

    Where the distortion folds over, so that it has no inverse, what comes back does not map to
    (x, y); `invertible` tells.
    """
    if not np.any(coefficients):
        return x, y
    k1, k2, p1, p2 = (float(c) for c in coefficients)
    u, v = x.astype(np.float64), y.astype(np.float64)
    with np.errstate(all="ignore"):
        for _ in range(_STEPS):
            at_x, at_y = distort(u, v, coefficients)
            square = u * u + v * v
            radial = 1 + square * (k1 + square * k2)
            slope = 2 * (k1 + 2 * square * k2)  # of `radial` along u, divided by u
            du_x = radial + u * u * slope + 2 * p1 * v + 6 * p2 * u
            dv_y = radial + v * v * slope + 2 * p2 * u + 6 * p1 * v
            cross = u * v * slope + 2 * p1 * u + 2 * p2 * v
            determinant = du_x * dv_y - cross * cross
            miss_x, miss_y = x - at_x, y - at_y
            if max(np.abs(miss_x).max(), np.abs(miss_y).max()) < _CLOSE:
                break
            u = u + (dv_y * miss_x - cross * miss_y) / determinant
            v = v + (du_x * miss_y - cross * miss_x) / determinant
    return u, v


def invertible(x: Array, y: Array, coefficients: Array) -> bool:
    """Whether `undistort` finds, for each of these points, its one ideal point.

    It must map back, and the distortion must grow with the radius all the way out to it.
    """
    u, v = undistort(x, y, coefficients)
    with np.errstate(all="ignore"):
        back_x, back_y = distort(u, v, coefficients)
        found = np.hypot(back_x - x, back_y - y) < 1e-6
        k1, k2 = float(coefficients[0]), float(coefficients[1])
        share = np.linspace(0, 1, 16)
        square = share**2 * (u * u + v * v)[..., None]
        growing = 1 + square * (3 * k1 + square * 5 * k2) > 0
    return bool(found.all() and growing.all())
