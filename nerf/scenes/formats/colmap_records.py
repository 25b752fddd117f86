"""What COLMAP's files hold, binary or text: cameras, images and points."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.formats.camera_models import COLMAP_MODELS, UNDISTORT
from nerf.scenes.formats.scene_checks import MAX_VIEWS, scene_error


@dataclass(frozen=True)
class Camera:
    model: str
    width: int
    height: int
    parameters: tuple[float, ...]


@dataclass(frozen=True)
class Image:
    """A registered image: `rotation` (w, x, y, z) and `translation` are cam_from_world."""

    name: str
    camera: int
    rotation: tuple[float, ...]
    translation: tuple[float, ...]


@dataclass(frozen=True)
class Reconstruction:
    """Cameras and images by COLMAP's id, points, and which image observes which point.

    points: (n, 3)
    observations: (m, 2), an image's id and a row of `points` each
    """

    cameras: dict[int, Camera]
    images: dict[int, Image]
    points: NDArray[np.float64]
    observations: NDArray[np.int64]


Points = tuple[list[tuple[float, ...]], list[tuple[int, int]]]
"""Positions of points, and pairs (image's id, index of the point)."""


def parameter_count(file: Path, model: str) -> int:
    """How many numbers a model's cameras have; raises `InputError` for one that is not read."""
    if model not in COLMAP_MODELS:
        raise scene_error(
            file, f"has the camera model {model[:40]}, which is not read; {UNDISTORT}"
        )
    return COLMAP_MODELS[model].parameters


def check_view_count(file: Path, count: int) -> int:
    """Returns the number of images; raises `InputError` for too many."""
    if count > MAX_VIEWS:
        raise scene_error(file, f"has {count} images, at most {MAX_VIEWS} are read")
    return count
