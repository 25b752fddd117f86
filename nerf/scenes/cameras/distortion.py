"""Lens distortion with OpenCV's coefficients k1 k2 p1 p2, and its inverse by Newton's method.

Points lie on the image plane at distance 1 in front of the camera, x right and y down, in
multiples of that distance. The model is shared by OpenCV, COLMAP (OPENCV, RADIAL, SIMPLE_RADIAL)
and instant-ngp. With r^2 = x^2 + y^2 and the radial factor R = 1 + k1 r^2 + k2 r^4, the lens shows
the point (x, y) at

    x' = x R + 2 p1 x y + p2 (r^2 + 2 x^2)
    y' = y R + 2 p2 x y + p1 (r^2 + 2 y^2)

Strong negative k1 or k2 make x' shrink again beyond some radius: the distortion folds over, two
points are shown at one place, and there is no inverse.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

_NEWTON_STEPS = 20
_CONVERGED = 1e-12
_MAX_RESIDUAL = 1e-6
_RADII_CHECKED = 16


def distort(x: Array, y: Array, coefficients: Array) -> tuple[Array, Array]:
    """Maps ideal points to where the lens shows them; `coefficients` are (k1, k2, p1, p2)."""
    k1, k2, p1, p2 = (float(c) for c in coefficients)
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * k2)
    return (
        x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
        y * radial + 2 * p2 * x * y + p1 * (r2 + 2 * y * y),
    )


def undistort(x: Array, y: Array, coefficients: Array) -> tuple[Array, Array]:
    """Inverts `distort` by Newton's method, starting at (x, y).

    Where the distortion folds over, the result need not map back to (x, y); `invertible` checks
    for that.
    """
    if not np.any(coefficients):
        return x, y
    k1, k2, p1, p2 = (float(c) for c in coefficients)
    u, v = x.astype(np.float64), y.astype(np.float64)
    with np.errstate(all="ignore"):  # points beyond a fold may diverge
        for _ in range(_NEWTON_STEPS):
            shown_x, shown_y = distort(u, v, coefficients)
            # The Jacobian of `distort` at (u, v) is symmetric: [[du_x, cross], [cross, dv_y]].
            r2 = u * u + v * v
            radial = 1 + r2 * (k1 + r2 * k2)
            slope = 2 * (k1 + 2 * r2 * k2)  # dR/du = u * slope, dR/dv = v * slope
            du_x = radial + u * u * slope + 2 * p1 * v + 6 * p2 * u
            dv_y = radial + v * v * slope + 2 * p2 * u + 6 * p1 * v
            cross = u * v * slope + 2 * p1 * u + 2 * p2 * v
            determinant = du_x * dv_y - cross * cross
            residual_x, residual_y = x - shown_x, y - shown_y
            if max(np.abs(residual_x).max(), np.abs(residual_y).max()) < _CONVERGED:
                break
            # Newton step: (u, v) += Jacobian^-1 @ residual, with the 2 x 2 inverse written out.
            u = u + (dv_y * residual_x - cross * residual_y) / determinant
            v = v + (du_x * residual_y - cross * residual_x) / determinant
    return u, v


def invertible(x: Array, y: Array, coefficients: Array) -> bool:
    """Whether `undistort` inverts the distortion at each of these points of the image.

    Each result must map back to its point, and the distorted radius must grow all the way from the
    image's centre to it; otherwise another point, nearer to the centre, is shown at the same place.
    """
    u, v = undistort(x, y, coefficients)
    with np.errstate(all="ignore"):
        back_x, back_y = distort(u, v, coefficients)
        maps_back = np.hypot(back_x - x, back_y - y) < _MAX_RESIDUAL
        k1, k2 = float(coefficients[0]), float(coefficients[1])
        # d(r R)/dr = 1 + 3 k1 r^2 + 5 k2 r^4, checked at radii from 0 to that of (u, v).
        fractions = np.linspace(0, 1, _RADII_CHECKED)
        r2 = fractions**2 * (u * u + v * v)[..., None]
        growing = 1 + r2 * (3 * k1 + r2 * 5 * k2) > 0
    return bool(maps_back.all() and growing.all())
