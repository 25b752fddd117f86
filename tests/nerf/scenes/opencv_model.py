"""OpenCV's forward model of lens distortion, written out for one point at a time."""

from __future__ import annotations

import math


def opencv_distort(
    x: float, y: float, k1: float, k2: float, p1: float, p2: float
) -> tuple[float, float]:
    """Distorts a point as printed in OpenCV's documentation of projectPoints."""
    r = math.hypot(x, y)
    factor = 1 + k1 * r**2 + k2 * r**4
    return (
        x * factor + 2 * p1 * x * y + p2 * (r**2 + 2 * x**2),
        y * factor + p1 * (r**2 + 2 * y**2) + 2 * p2 * x * y,
    )
