"""Lens distortion as OpenCV models it, and its inverse by Newton's method.

Points lie on the image plane at distance 1 in front of the camera, x right and y down, in
multiples of that distance. With r^2 = x^2 + y^2 and the radial factor

    R = (1 + k1 r^2 + k2 r^4 + k3 r^6 + q r^8) / (1 + k4 r^2 + k5 r^4 + k6 r^6)

the lens shows the point (x, y) at

    x' = x R + 2 p1 x y + p2 (r^2 + 2 x^2)
    y' = y R + 2 p2 x y + p1 (r^2 + 2 y^2)

Coefficients come in OpenCV's order, k1 k2 p1 p2 k3 k4 k5 k6, and then q, which OpenCV does not
have: it is the fourth radial coefficient of Brown's model, Metashape's and nerfstudio's k4. Those
left out at the end are zero. COLMAP's SIMPLE_RADIAL, RADIAL, OPENCV and FULL_OPENCV have one, two,
four and eight of them.

Strong negative coefficients make x' shrink again beyond some radius: the distortion folds over, two
points are shown at one place, and there is no inverse.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

_NEWTON_STEPS = 20
_CONVERGED = 1e-12
_MAX_RESIDUAL = 1e-6
_RADII_CHECKED = 16
_MOST = 9  # coefficients


@dataclass(frozen=True)
class _Radial:
    """The radial factor R as a function of r^2."""

    numerator: tuple[float, float, float, float]  # of r^2, r^4, r^6, r^8
    denominator: tuple[float, float, float]  # of r^2, r^4, r^6

    def __call__(self, r2: Array) -> Array:
        k1, k2, k3, q = self.numerator
        numerator = 1 + r2 * (k1 + r2 * (k2 + r2 * (k3 + r2 * q)))
        return numerator / self._denominator(r2) if any(self.denominator) else numerator

    def slope(self, r2: Array) -> Array:
        """dR / d(r^2), by the quotient rule: (N' - R D') / D."""
        k1, k2, k3, q = self.numerator
        slope = k1 + r2 * (2 * k2 + r2 * (3 * k3 + r2 * 4 * q))
        if not any(self.denominator):
            return slope
        k4, k5, k6 = self.denominator
        shrinking = k4 + r2 * (2 * k5 + r2 * 3 * k6)
        return np.asarray((slope - self(r2) * shrinking) / self._denominator(r2))

    def _denominator(self, r2: Array) -> Array:
        k4, k5, k6 = self.denominator
        return 1 + r2 * (k4 + r2 * (k5 + r2 * k6))


def _split(coefficients: Array) -> tuple[_Radial, float, float]:
    """The radial factor, p1 and p2."""
    whole = [float(value) for value in coefficients] + [0.0] * (_MOST - len(coefficients))
    k1, k2, p1, p2, k3, k4, k5, k6, q = whole
    return _Radial((k1, k2, k3, q), (k4, k5, k6)), p1, p2


def distort(x: Any, y: Any, coefficients: Array) -> tuple[Any, Any]:
    """Maps ideal points to where the lens shows them; `coefficients` are up to nine."""
    if not np.any(coefficients):
        return x, y
    radial_factor, p1, p2 = _split(coefficients)
    r2 = x * x + y * y
    radial = radial_factor(r2)
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
    radial_factor, p1, p2 = _split(coefficients)
    u, v = x.astype(np.float64), y.astype(np.float64)
    with np.errstate(all="ignore"):  # points beyond a fold may diverge
        for _ in range(_NEWTON_STEPS):
            shown_x, shown_y = distort(u, v, coefficients)
            # The Jacobian of `distort` at (u, v) is symmetric: [[du_x, cross], [cross, dv_y]].
            r2 = u * u + v * v
            radial = radial_factor(r2)
            slope = 2 * radial_factor.slope(r2)  # dR/du = u * slope, dR/dv = v * slope
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


def invertible(x: Array, y: Array, coefficients: Array) -> NDArray[np.bool_]:
    """Whether `undistort` inverts the distortion at each of these points of the image.

    The result must map back to its point, and the distorted radius must grow all the way from the
    image's centre to it; otherwise another point, nearer to the centre, is shown at the same place.
    """
    radial_factor, _, _ = _split(coefficients)
    u, v = undistort(x, y, coefficients)
    with np.errstate(all="ignore"):
        back_x, back_y = distort(u, v, coefficients)
        maps_back = np.hypot(back_x - x, back_y - y) < _MAX_RESIDUAL
        # d(r R)/dr = R + 2 r^2 dR/d(r^2), checked at radii from 0 to that of (u, v).
        fractions = np.linspace(0, 1, _RADII_CHECKED)
        r2 = fractions**2 * (u * u + v * v)[..., None]
        growing = radial_factor(r2) + 2 * r2 * radial_factor.slope(r2) > 0
    return np.asarray(maps_back & growing.all(-1))
