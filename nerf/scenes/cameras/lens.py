"""Lenses: which direction each place of an image shows, and where a direction is shown.

Places are on the image plane, in multiples of the focal length from the principal point: x to the
right, y down. Directions are in the camera frame: x right, y up, looking along -z. The models:

    perspective      OpenCV's pinhole with radial and tangential distortion; see distortion.py
    fisheye          OpenCV's fisheye: the angle from the axis, with distortion; see fisheye.py
    equirectangular  longitude and latitude in radians: a panorama of 2 pi by pi

`Scene` holds lenses as arrays, a row of coefficients and the name of a model for each view.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.cameras import fisheye
from nerf.scenes.cameras.distortion import distort, invertible, undistort
from nerf.scenes.scene import PERSPECTIVE, Float32, Scene

LensModel = Literal["perspective", "fisheye", "equirectangular"]
Array = NDArray[np.floating[Any]]
Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Lens:
    """A lens model and its distortion; coefficients that are left out at the end are zero.

    perspective: k1 k2 p1 p2 k3 k4 k5 k6 as OpenCV orders them, then the numerator's r^8 coefficient
    fisheye: k1 k2 k3 k4
    equirectangular: none
    """

    model: LensModel = PERSPECTIVE
    coefficients: tuple[float, ...] = ()

    @property
    def is_ideal_pinhole(self) -> bool:
        """Whether rays follow from the focal length and the principal point alone."""
        return self.model == PERSPECTIVE and not any(self.coefficients)


def lens_of(scene: Scene, view: int) -> Lens:
    """The lens of one of a scene's views."""
    model = PERSPECTIVE if scene.lens_models is None else scene.lens_models[view]
    coefficients = () if scene.distortion is None else tuple(scene.distortion[view].tolist())
    return Lens(cast("LensModel", model), coefficients)


def lens_arrays(lenses: list[Lens]) -> tuple[Float32 | None, tuple[str, ...] | None]:
    """`Scene.distortion` and `Scene.lens_models` for the lenses of all views."""
    length = max((_last_nonzero(lens.coefficients) for lens in lenses), default=0)
    distortion = None
    if length:
        # Four at least, as scenes have had from the first version on, so that hashes stay.
        distortion = np.zeros((len(lenses), max(length, 4)), np.float32)
        for row, lens in zip(distortion, lenses, strict=True):
            row[: len(lens.coefficients)] = lens.coefficients[: len(row)]
    models = tuple(lens.model for lens in lenses)
    return distortion, (None if set(models) == {PERSPECTIVE} else models)


def _last_nonzero(coefficients: tuple[float, ...]) -> int:
    """The number of coefficients up to the last one that is not zero."""
    return max((index + 1 for index, value in enumerate(coefficients) if value), default=0)


def plane_to_directions(lens: Lens, x: Array, y: Array) -> Float64:
    """Directions (..., 3) of places on the image plane; their length is not 1.

    Where the lens shows nothing (`shown`), the direction is that of a place nearby.
    """
    if lens.model == "equirectangular":
        return np.stack((np.sin(x) * np.cos(y), -np.sin(y), -np.cos(x) * np.cos(y)), axis=-1)
    if lens.model == "fisheye":
        return fisheye.plane_to_directions(x, y, lens.coefficients)
    right, down = undistort(x, y, np.array(lens.coefficients))
    return np.stack((right, -down, -np.ones_like(right)), axis=-1)


def directions_to_plane(lens: Lens, directions: Array) -> tuple[Float64, Float64, Float64]:
    """Where directions (..., 3) of any length are shown: x, y, and a depth (...).

    The depth of a perspective lens is along the optical axis, that of others along the ray. The
    direction is shown only if it is positive.
    """
    right, up, back = (directions[..., axis].astype(np.float64) for axis in range(3))
    if lens.model == "equirectangular":
        distance = np.linalg.norm(directions.astype(np.float64), axis=-1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.arctan2(right, -back), np.arcsin(-up / distance), np.asarray(distance)
    if lens.model == "fisheye":
        return fisheye.directions_to_plane(directions, lens.coefficients)
    with np.errstate(divide="ignore", invalid="ignore"):
        x, y = right / -back, -up / -back
    return *distort(x, y, np.array(lens.coefficients)), -back


def shown(lens: Lens, x: Array, y: Array) -> Mask:
    """Whether the lens shows exactly one direction at each place of the image plane.

    Not beyond the fold of a distortion (distortion.py), outside the circle that a fisheye lens
    fills, or outside a whole panorama.
    """
    if lens.model == "equirectangular":
        slack = 1 + 1e-6
        return np.asarray((np.abs(x) <= np.pi * slack) & (np.abs(y) <= np.pi / 2 * slack))
    if lens.model == "fisheye":
        return fisheye.shown(x, y, lens.coefficients)
    if not any(lens.coefficients):
        return np.ones(np.broadcast(x, y).shape, bool)
    return invertible(x, y, np.array(lens.coefficients))
