"""Builds a checked `Scene` from what a format's reader returns: image files and their cameras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from nerf.common.printable import printable
from nerf.scenes.backdrop import backdrop_colour
from nerf.scenes.bounds.suggest import with_bounds
from nerf.scenes.cameras.lens import lens_arrays
from nerf.scenes.cameras.pixel_rays import shown_pixels
from nerf.scenes.formats import capture_notes
from nerf.scenes.formats.fit_cameras import fit_to_pictures
from nerf.scenes.formats.read_pictures import Picture, choose_factor, read_pictures
from nerf.scenes.formats.scene_checks import (
    check_centre,
    check_focal,
    check_lens,
    check_poses,
    scene_error,
)
from nerf.scenes.formats.splits import complete_splits, without_empty
from nerf.scenes.formats.view import Float64, View
from nerf.scenes.images import BLACK, Float32, Images
from nerf.scenes.scene import Bounds, Scene, Split

__all__ = ["Background", "Capture", "Float64", "View", "build_scene"]

Background = Literal["auto", "white", "black", "none"]


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

    background: the colour of a ray that hits nothing, over which images with an alpha channel are
    composited; "auto" is white for those, else the colour of a plain backdrop around the object, or
    black without one; "none" is black, only for images without an alpha channel

    Raises `InputError` for data that fails a check, and for "none" with an alpha channel.
    """
    where = capture.file
    poses = np.stack([view.pose for view in capture.views])
    check_poses(where, poses, [view.file.name for view in capture.views])
    _check_unique(where, [view.file for view in capture.views])
    views, pictures, notes = fit_to_pictures(where, capture.views)
    factor = choose_factor(pictures, downscale)
    if factor > downscale:
        notes += (capture_notes.shrunk(pictures, factor),)
    focal, centre = _intrinsics(where, views, pictures, factor)
    images = read_pictures(where, pictures, factor, as_bytes=factor > downscale)
    splits, split_notes = complete_splits(where, capture.splits, len(views))
    notes += capture_notes.masked(where, pictures, images)
    splits = without_empty(where, splits, images)
    notes += capture_notes.partly_transparent(pictures, images)
    notes += capture_notes.repeated(pictures, images)
    notes += capture_notes.far_away(pictures, poses)
    images, colour, backdrop = _composite(where, images, background)
    distortion, lens_models = lens_arrays([view.lens for view in views])
    scene = Scene(
        name=capture.name,
        source=str(where),
        images=images,
        world_from_camera=poses.astype(np.float32),
        focal=focal,
        centre=centre,
        background=colour,
        distortion=distortion,
        lens_models=lens_models,
        points=capture.points.astype(np.float32),
        description=capture.description + backdrop,
        notes=tuple(map(printable, (*capture.notes, *notes, *split_notes))),
        train=splits["train"],
        val=splits["val"],
        test=splits["test"],
    )
    return with_bounds(_without_dark_corners(scene), capture.bounds)


def _check_unique(where: Path, files: list[Path]) -> None:
    """Rejects an image used by two views: it could be in training and held out at once."""
    seen: set[Path] = set()
    for file in files:
        if file in seen:
            raise scene_error(where, f"uses {file.name} twice; remove one of the two views")
        seen.add(file)


def _intrinsics(
    where: Path, views: Sequence[View], pictures: Sequence[Picture], factor: int
) -> tuple[Float32, Float32]:
    """Focal lengths and principal points in shrunk pixels, one per view, all checked."""
    focal = np.array([view.focal for view in views], np.float64) / factor
    centre = np.array([view.centre for view in views], np.float64) / factor
    for index, (view, picture) in enumerate(zip(views, pictures, strict=True)):
        width, height = (max(side // factor, 1) for side in picture.size)
        for value in focal[index]:
            check_focal(where, float(value), width)
        check_centre(where, centre[index], width, height)
        check_lens(where, view.lens, focal[index], centre[index], width, height)
    return focal.astype(np.float32), centre.astype(np.float32)


def _without_dark_corners(scene: Scene) -> Scene:
    """Marks pixels that a fisheye lens shows nothing at as not valid."""
    visible = {
        view: mask
        for view in range(len(scene.images))
        if (mask := shown_pixels(scene, view)) is not None
    }
    if not visible:
        return scene
    valid = scene.images.valid
    valid = np.ones(scene.images.shape[:3], bool) if valid is None else valid
    for view, mask in visible.items():
        valid[view] &= mask
    return replace(scene, images=replace(scene.images, valid=valid))


def _composite(where: Path, images: Images, background: Background) -> tuple[Images, Float32, str]:
    """The images over their background, its colour, and words on a backdrop for the summary."""
    colour = np.full(3, float(background in ("white", "auto")), np.float32)
    if images.alphas is not None:
        if background == "none":
            raise scene_error(
                where,
                "has images with an alpha channel, which --background none does not fit; give "
                "white or black",
            )
        return images.over(colour), colour, ""
    if background == "auto":
        colour = backdrop_colour(images)
        red, green, blue = np.rint(255 * colour).astype(int)
        words = f" before a backdrop of #{red:02x}{green:02x}{blue:02x}"
        return images, colour, words if colour.any() else ""
    return images, BLACK if background == "none" else colour, ""
