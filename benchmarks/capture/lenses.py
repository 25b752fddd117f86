"""Lens models as OpenCV and COLMAP define them, and their inverse by Newton's method.

A lens maps (x, y), a point on the plane at distance 1 in front of the camera (x right, y down), to
where it appears, in units of the focal length. Written from the formulas of OpenCV's calib3d and
COLMAP's sensor/models.h, without the project's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Camera:
    """Image size, focal lengths and principal point in pixels, and a lens.

    `k` are radial coefficients: k1 to k6 of OpenCV's rational model, or k1 to k4 of its fisheye
    model; `p` the tangential ones, `k_r8` the coefficient of r^8 in a polynomial.
    """

    width: int = 96
    height: int = 72
    focal: tuple[float, float] = (110.0, 110.0)
    centre: tuple[float, float] | None = None
    lens: str = "perspective"  # or fisheye, equirectangular
    k: tuple[float, ...] = ()
    p: tuple[float, float] = (0.0, 0.0)
    k_r8: float = 0.0

    @property
    def middle(self) -> tuple[float, float]:
        """The principal point."""
        return self.centre or (self.width / 2, self.height / 2)

    def rays(self, samples: int = 1) -> Floats:
        """Unit rays (height, width, 3) of pixels in OpenGL's camera frame, or of finer ones."""
        columns, rows = (
            (np.arange(side * samples) + 0.5) / samples for side in (self.width, self.height)
        )
        u, v = np.meshgrid(
            (columns - self.middle[0]) / self.focal[0], (rows - self.middle[1]) / self.focal[1]
        )
        if self.lens == "equirectangular":
            rays = np.stack([np.cos(v) * np.sin(u), np.sin(v), np.cos(v) * np.cos(u)], -1)
        elif self.lens == "fisheye":
            rays = self._fisheye_rays(u, v)
        else:
            x, y = invert(self._distort, u, v)
            rays = np.stack([x, y, np.ones_like(x)], -1)
        rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
        return np.asarray(rays * (1.0, -1.0, -1.0))  # y up, looking along -z

    def _distort(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        k1, k2, k3, k4, k5, k6 = (*self.k, *[0.0] * 6)[:6]
        p1, p2 = self.p
        r2 = x * x + y * y
        above = 1 + r2 * (k1 + r2 * (k2 + r2 * (k3 + r2 * self.k_r8)))
        radial = above / (1 + r2 * (k4 + r2 * (k5 + r2 * k6)))
        return (
            x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
            y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
        )

    def _fisheye_rays(self, u: Floats, v: Floats) -> Floats:
        """Solves theta (1 + k1 theta^2 + ... + k4 theta^8) = r for the angle off the axis."""
        k1, k2, k3, k4 = (*self.k, *[0.0] * 4)[:4]
        radius = np.hypot(u, v)
        theta = radius.copy()
        for _ in range(30):
            t2 = theta * theta
            value = theta * (1 + t2 * (k1 + t2 * (k2 + t2 * (k3 + t2 * k4))))
            slope = 1 + t2 * (3 * k1 + t2 * (5 * k2 + t2 * (7 * k3 + t2 * 9 * k4)))
            theta = theta - (value - radius) / slope
        scale = np.sin(theta) / np.maximum(radius, 1e-12)
        return np.stack([u * scale, v * scale, np.cos(theta)], -1)


def invert(
    distort: Callable[[Floats, Floats], tuple[Floats, Floats]], u: Floats, v: Floats
) -> tuple[Floats, Floats]:
    """The (x, y) that a lens shows at (u, v): Newton's method with differences as derivatives."""
    x, y, step = u.copy(), v.copy(), 1e-6
    for _ in range(40):
        a, b = distort(x, y)
        (ax, bx), (ay, by) = distort(x + step, y), distort(x, y + step)
        jxx, jyx, jxy, jyy = (d / step for d in (ax - a, bx - b, ay - a, by - b))
        determinant = jxx * jyy - jxy * jyx
        x, y = (
            x - (jyy * (a - u) - jxy * (b - v)) / determinant,
            y - (jxx * (b - v) - jyx * (a - u)) / determinant,
        )
    a, b = distort(x, y)
    if max(np.abs(a - u).max(), np.abs(b - v).max()) > 1e-9:
        raise ValueError("this lens folds over within its image; choose a milder one")
    return x, y
