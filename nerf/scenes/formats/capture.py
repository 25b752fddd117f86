"""Builds a checked `Scene` from what a format's reader returns: image files and their cameras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.backdrop import backdrop_colour
from nerf.scenes.bounds.suggest import with_bounds
from nerf.scenes.cameras.lens import Lens, lens_arrays
from nerf.scenes.formats.image_files import image_size, read_images
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

_MAX_ASPECT_CHANGE = 0.02  # of images that were shrunk, by rounding


@dataclass(frozen=True)
class View:
    """An image file and its camera, in pixels of images of `size`."""

    file: Path
    pose: Float64  # world_from_camera, OpenGL
    focal: tuple[float, float]
    centre: tuple[float, float]
    lens: Lens = Lens()  # noqa: RUF009 - frozen
    mask: Path | None = None  # an image whose black pixels neither train nor count
    mask_is_inverted: bool = False  # its black pixels do, and all others do not
    size: tuple[int, int] | None = None  # width and height; None: those of the image


@dataclass(frozen=True)
class Capture:
    """What a format's reader returns. Errors about cameras name `file`."""

    name: str
    file: Path
    description: str
    views: Sequence[View]
    splits: dict[Split, tuple[int, ...]] | None = None  # of the source; any of train, val, test
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
    capture = replace(capture, views=[_fit_to_image(capture, view) for view in capture.views])
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
        points=capture.points.astype(np.float32),
        description=description,
        notes=capture.notes + split_notes,
        train=splits["train"],
        val=splits["val"],
        test=splits["test"],
    )
    return with_bounds(scene, capture.bounds)


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


def _fit_to_image(capture: Capture, view: View) -> View:
    """The camera in pixels of its image, which may be smaller than those it was computed for."""
    width, height = image_size(view.file)
    if view.size is None or view.size == (width, height):
        return view
    across, down = width / view.size[0], height / view.size[1]
    if abs(across / down - 1) > _MAX_ASPECT_CHANGE:
        raise scene_error(
            capture.file,
            f"its camera is for images of {view.size[0]} x {view.size[1]} pixels, {view.file.name} "
            f"has {width} x {height}; use the images that the cameras were computed from",
        )
    return replace(
        view,
        focal=(view.focal[0] * across, view.focal[1] * down),
        centre=(view.centre[0] * across, view.centre[1] * down),
        size=(width, height),
    )
