"""Lenses by the names and numbers that COLMAP, nerfstudio and instant-ngp give them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nerf.scenes.cameras.lens import Lens, LensModel

UNDISTORT = (
    "undistort the images first, for example with `colmap image_undistorter`, or calibrate them as "
    "OPENCV or OPENCV_FISHEYE"
)
"""The way out for a lens that is not read."""


@dataclass(frozen=True)
class CameraModel:
    """One of COLMAP's models: its number, focal lengths, and where its coefficients go.

    It stores the focal lengths, the principal point (for panoramas width and height), and the
    coefficients: `coefficients` holds the index in `Lens.coefficients` of each that COLMAP stores.
    """

    number: int
    focal_lengths: int
    coefficients: tuple[int, ...] = ()
    lens: LensModel = "perspective"

    @property
    def parameters(self) -> int:
        """How many numbers COLMAP stores."""
        return self.focal_lengths + 2 + len(self.coefficients)


COLMAP_MODELS = {
    "SIMPLE_PINHOLE": CameraModel(0, 1),
    "PINHOLE": CameraModel(1, 2),
    "SIMPLE_RADIAL": CameraModel(2, 1, (0,)),
    "RADIAL": CameraModel(3, 1, (0, 1)),
    "OPENCV": CameraModel(4, 2, (0, 1, 2, 3)),
    "OPENCV_FISHEYE": CameraModel(5, 2, (0, 1, 2, 3), "fisheye"),
    "FULL_OPENCV": CameraModel(6, 2, (0, 1, 2, 3, 4, 5, 6, 7)),
    "SIMPLE_RADIAL_FISHEYE": CameraModel(8, 1, (0,), "fisheye"),
    "RADIAL_FISHEYE": CameraModel(9, 1, (0, 1), "fisheye"),
    "SIMPLE_FISHEYE": CameraModel(14, 1, (), "fisheye"),
    "FISHEYE": CameraModel(15, 2, (), "fisheye"),
    "EQUIRECTANGULAR": CameraModel(17, 0, (), "equirectangular"),
}
"""COLMAP's camera models that are read."""

OTHER_COLMAP_MODELS = {
    7: "FOV",
    10: "THIN_PRISM_FISHEYE",
    11: "RAD_TAN_THIN_PRISM_FISHEYE",
    12: "SIMPLE_DIVISION",
    13: "DIVISION",
    16: "EUCM",
}
"""COLMAP's camera models that are not read, by number."""

JSON_MODELS: dict[str, LensModel] = {
    **{name: model.lens for name, model in COLMAP_MODELS.items()},
    "PERSPECTIVE": "perspective",
}
"""Lens models by `camera_model` of a transforms.json."""


@dataclass(frozen=True)
class Intrinsics:
    """A camera without its pose, in pixels of images of `size`."""

    focal: tuple[float, float]
    centre: tuple[float, float]
    lens: Lens
    size: tuple[int, int]


def from_colmap(name: str, parameters: Sequence[float], size: tuple[int, int]) -> Intrinsics:
    """The camera of one of `COLMAP_MODELS`, from the numbers that COLMAP stores."""
    model = COLMAP_MODELS[name]
    if model.lens == "equirectangular":
        return panorama(size)
    focal = parameters[0], parameters[model.focal_lengths - 1]
    x, y, *stored = parameters[model.focal_lengths :]
    coefficients = [0.0] * (1 + max(model.coefficients, default=-1))
    for place, value in zip(model.coefficients, stored, strict=True):
        coefficients[place] = value
    return Intrinsics(focal, (x, y), Lens(model.lens, tuple(coefficients)), size)


def panorama(size: tuple[int, int]) -> Intrinsics:
    """An equirectangular camera whose image spans 360 by 180 degrees."""
    width, height = size
    pixels_per_radian = width / (2 * math.pi), height / math.pi
    return Intrinsics(pixels_per_radian, (width / 2, height / 2), Lens("equirectangular"), size)
