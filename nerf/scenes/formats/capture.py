"""Builds a checked `Scene` from what a format's reader returns: image files and their cameras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.backdrop import backdrop_colour
from nerf.scenes.bounds.suggest import with_bounds
from nerf.scenes.cameras.lens import Lens, lens_arrays
from nerf.scenes.formats.image_files import read_images
from nerf.scenes.formats.scene_checks import (
    MIN_VIEWS,
    check_centre,
    check_focal,
    check_lens,
    check_poses,
    scene_error,
)
from nerf.scenes.formats.splits import complete_splits
from nerf.scenes.scene import Bounds, Float32, Scene, Split

Background = Literal["white", "black", "none"]
Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class View:
    """An image file and its camera, in pixels of images of `size`."""

    file: Path
    pose: Float64  # world_from_camera, OpenGL
    focal: tuple[float, float]
    centre: tuple[float, float]
    lens: Lens = Lens()  # noqa: RUF009 - frozen
    mask: Path | None = None
    size: tuple[int, int] | None = None  # width and height; None: those of the image


@dataclass(frozen=True)
class Capture:
    """What a format's reader returns. Errors about cameras name `file`."""

    name: str
    file: Path
    description: str
    views: Sequence[View]
    splits: dict[Split, tuple[int, ...]] | None = None  # of the source; any of train, val, test
    size: tuple[int, int] | None = None  # width and height of the images that the cameras fit
    points: Float64 = field(default_factory=lambda: np.empty((0, 3)))
    bounds: Bounds | None = None
    notes: tuple[str, ...] = ()  # one line each, of what was changed or left out


def build_scene(capture: Capture, downscale: int, background: Background) -> Scene:
    """Reads the images, checks and composites them, and suggests bounds if the source has none.

    background: what images with an alpha channel are composited over; "none" takes photographs as
    they are, so that a ray that hits nothing is black even before a uniform backdrop

    Raises `InputError` for data that fails a check, and for "none" with an alpha channel.
    """
    if len(capture.views) < MIN_VIEWS:
        raise scene_error(
            capture.file, f"a scene needs at least {MIN_VIEWS} views, got {len(capture.views)}"
        )
    poses = np.stack([view.pose for view in capture.views])
    check_poses(capture.file, poses)
    files = [view.file for view in capture.views]
    _check_unique(capture.file, files)
    rgb, alphas = read_images(capture.file, files, downscale)
    _check_size(capture, rgb, downscale)
    focal, centre = _intrinsics(capture, downscale, rgb.shape[2], rgb.shape[1])
    distortion, lens_models = lens_arrays([view.lens for view in capture.views])
    description = capture.description
    if alphas is None:
        colour = np.zeros(3, np.float32) if background == "none" else backdrop_colour(rgb)
        if colour.any():
            red, green, blue = np.rint(255 * colour).astype(int)
            description += f" before a backdrop of #{red:02x}{green:02x}{blue:02x}"
    elif background == "none":
        raise scene_error(
            capture.file,
            "has images with an alpha channel, which --background none does not fit; give white or "
            "black",
        )
    else:
        colour = np.full(3, float(background == "white"), np.float32)
        rgb = (rgb + (1 - alphas)[..., None] * colour).clip(0, 1)  # rgb is premultiplied
    splits, split_notes = complete_splits(capture.file, capture.splits, len(poses))
    scene = Scene(
        name=capture.name,
        source=str(capture.file),
        images=rgb,
        world_from_camera=poses.astype(np.float32),
        focal=focal,
        centre=centre,
        background=colour,
        alphas=alphas,
        distortion=distortion,
        lens_models=lens_models,
        bounds=capture.bounds or Scene.bounds,
        points=capture.points.astype(np.float32),
        description=description,
        notes=capture.notes + split_notes,
        train=splits["train"],
        val=splits["val"],
        test=splits["test"],
    )
    return scene if capture.bounds else with_bounds(scene)


def _check_unique(where: Path, files: list[Path]) -> None:
    """Rejects an image used by two views: it could be in training and held out at once."""
    seen: set[Path] = set()
    for file in files:
        if file in seen:
            raise scene_error(where, f"uses {file.name} twice; remove one of the two views")
        seen.add(file)


def _intrinsics(
    capture: Capture, downscale: int, width: int, height: int
) -> tuple[Float32, Float32]:
    """Focal lengths and principal points in downscaled pixels, one per view."""
    focal = np.array([view.focal for view in capture.views], np.float64) / downscale
    centre = np.array([view.centre for view in capture.views], np.float64) / downscale
    for view, camera in enumerate(capture.views):
        for value in focal[view]:
            check_focal(capture.file, float(value), width)
        check_centre(capture.file, centre[view], width, height)
        check_lens(capture.file, camera.lens, focal[view], centre[view], width, height)
    return focal.astype(np.float32), centre.astype(np.float32)


def _check_size(capture: Capture, images: Float32, downscale: int) -> None:
    """Rejects images of another size than the cameras were calibrated for."""
    if capture.size is None:
        return
    expected = tuple(size // downscale for size in capture.size)
    if expected != (images.shape[2], images.shape[1]):
        size = " x ".join(map(str, capture.size))
        actual = " x ".join(str(side * downscale) for side in (images.shape[2], images.shape[1]))
        raise scene_error(
            capture.file,
            f"its cameras are for images of {size} pixels, {capture.views[0].file.name} "
            f"has about {actual}; use the images that the cameras were computed from",
        )
