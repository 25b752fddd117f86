"""OpenCV's fisheye lens (Kannala and Brandt 2006), and its inverse by Newton's method.

A direction at the angle theta from the optical axis is shown at the distance

    theta_d = theta (1 + k1 theta^2 + k2 theta^4 + k3 theta^6 + k4 theta^8)

from the principal point, in focal lengths, whatever its azimuth. COLMAP's SIMPLE_RADIAL_FISHEYE,
RADIAL_FISHEYE and OPENCV_FISHEYE have one, two and four coefficients of it. The angle goes beyond
90 degrees, up to where theta_d stops growing, or to 180 degrees.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.polynomial import polynomial
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Float64 = NDArray[np.float64]

_NEWTON_STEPS = 12
_TABLE = 256  # angles tabulated for the first guess; Newton's method then converges in 2 or 3 steps


def plane_to_directions(x: Array, y: Array, coefficients: Sequence[float]) -> Float64:
    """Unit directions (..., 3) of places; beyond the lens's circle, those of its rim."""
    shown_at = np.hypot(x, y)
    theta = _angles(shown_at, coefficients)
    # sin(theta) / theta_d, which tends to 1 at the axis.
    across = np.where(shown_at > 1e-9, np.sin(theta) / np.maximum(shown_at, 1e-9), 1.0)
    return np.stack((x * across, -y * across, -np.cos(theta)), axis=-1)


def directions_to_plane(
    directions: Array, coefficients: Sequence[float]
) -> tuple[Float64, Float64, Float64]:
    """x and y of directions of any length, and their length, negative where they are not shown."""
    right, up, back = (directions[..., axis].astype(np.float64) for axis in range(3))
    sideways = np.hypot(right, up)
    theta = np.arctan2(sideways, -back)
    shown_at = polynomial.polyval(theta, _odd_polynomial(coefficients))
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(sideways > 0, shown_at / sideways, 0.0)
    length = np.hypot(sideways, back)
    return right * scale, -up * scale, np.where(theta <= widest_angle(coefficients), length, -1.0)


def shown(x: Array, y: Array, coefficients: Sequence[float]) -> NDArray[np.bool_]:
    """Whether places lie in the circle that the lens fills."""
    rim = polynomial.polyval(widest_angle(coefficients), _odd_polynomial(coefficients))
    return np.asarray(np.hypot(x, y) <= rim)


def widest_angle(coefficients: Sequence[float]) -> float:
    """The angle from the axis, in radians, up to which theta_d grows; at most pi."""
    slope = polynomial.polyder(_odd_polynomial(coefficients))
    roots = polynomial.polyroots(np.trim_zeros(slope, "b"))
    real = roots[np.abs(roots.imag) < 1e-9].real
    return float(min([np.pi, *real[real > 0]]))


def _odd_polynomial(coefficients: Sequence[float]) -> Float64:
    """theta_d's coefficients in rising powers of theta: 0, 1, 0, k1, 0, k2, ..."""
    powers = np.zeros(2 * len(coefficients) + 2)
    powers[1], powers[3::2] = 1.0, coefficients
    return powers


def _angles(shown_at: Array, coefficients: Sequence[float]) -> Float64:
    """theta of each theta_d; the widest angle beyond it."""
    if not any(coefficients):
        return np.minimum(shown_at, np.pi).astype(np.float64)
    powers = _odd_polynomial(coefficients)
    slope = polynomial.polyder(powers)
    table = np.linspace(0, widest_angle(coefficients), _TABLE)
    shown_in_table = polynomial.polyval(table, powers)
    target = np.minimum(shown_at, shown_in_table[-1])
    theta = np.interp(target, shown_in_table, table)
    for _ in range(_NEWTON_STEPS):
        # The slope is zero at the fold itself; a step is held within the angles of the lens.
        step = (target - polynomial.polyval(theta, powers)) / np.maximum(
            polynomial.polyval(theta, slope), 1e-6
        )
        theta = np.clip(theta + step, 0, table[-1])
        if np.abs(step).max(initial=0) < 1e-12:
            break
    return np.asarray(theta)
