"""From what a source says of its views to a `Scene` that keeps every rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.bounds.suggest import with_bounds
from nerf.scenes.formats.image_files import read_images
from nerf.scenes.formats.scene_checks import (
    MIN_VIEWS,
    check_centre,
    check_distortion,
    check_focal,
    check_poses,
    scene_error,
)
from nerf.scenes.scene import Bounds, Float32, Scene, Split, split_views

Background = Literal["white", "black"]
Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class View:
    """One photograph and its camera, in pixels of the picture as it lies on disk."""

    file: Path
    pose: Float64  # world_from_camera, OpenGL
    focal: tuple[float, float]
    centre: tuple[float, float]
    distortion: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Capture:
    """All that a source's reader found; `file` is the one to blame for the cameras."""

    name: str
    file: Path
    description: str
    views: Sequence[View]
    splits: dict[Split, tuple[int, ...]] | None = None  # the source's own, where it has one
    size: tuple[int, int] | None = None  # width and height that the cameras were made for
    points: Float64 = field(default_factory=lambda: np.empty((0, 3)))
    bounds: Bounds | None = None


def build_scene(capture: Capture, downscale: int, background: Background) -> Scene:
    """The scene, checked, composited, with bounds; raises `InputError` for what breaks a rule."""
    if len(capture.views) < MIN_VIEWS:
        raise scene_error(
            capture.file, f"a scene needs at least {MIN_VIEWS} views, got {len(capture.views)}"
        )
    poses = np.stack([view.pose for view in capture.views])
    check_poses(capture.file, poses)
    files = [view.file for view in capture.views]
    _check_unique(capture.file, files)
    colours, alphas = read_images(capture.file, files, downscale)
    _check_size(capture, colours, downscale)
    focal, centre, distortion = _intrinsics(capture, downscale, colours.shape[2], colours.shape[1])
    behind = np.zeros(3, np.float32)
    if alphas is not None:
        behind += background == "white"
        colours = (colours + (1 - alphas)[..., None] * behind).clip(0, 1)
    splits = capture.splits or split_views(len(poses))
    scene = Scene(
        name=capture.name,
        source=str(capture.file),
        images=colours,
        world_from_camera=poses.astype(np.float32),
        focal=focal,
        centre=centre,
        background=behind,
        alphas=alphas,
        distortion=distortion if distortion.any() else None,
        bounds=capture.bounds or Scene.bounds,
        points=capture.points.astype(np.float32),
        description=capture.description,
        train=splits["train"],
        val=splits["val"],
        test=splits["test"],
    )
    return scene if capture.bounds else with_bounds(scene)


def _check_unique(where: Path, files: list[Path]) -> None:
    """Refuses a photograph in two views: it could be trained on and held out at once."""
    seen: set[Path] = set()
    for file in files:
        if file in seen:
            raise scene_error(where, f"uses {file.name} twice; keep one view of it")
        seen.add(file)


def _intrinsics(
    capture: Capture, downscale: int, width: int, height: int
) -> tuple[Float32, Float32, Float32]:
    """Focal lengths, principal points and distortions, scaled with the pictures."""
    focal = np.array([view.focal for view in capture.views], np.float64) / downscale
    centre = np.array([view.centre for view in capture.views], np.float64) / downscale
    distortion = np.array([view.distortion for view in capture.views], np.float64)
    for view in range(len(capture.views)):
        for value in focal[view]:
            check_focal(capture.file, float(value), width)
        check_centre(capture.file, centre[view], width, height)
        check_distortion(capture.file, distortion[view], focal[view], centre[view], width, height)
    return focal.astype(np.float32), centre.astype(np.float32), distortion.astype(np.float32)


def _check_size(capture: Capture, images: Float32, downscale: int) -> None:
    """Refuses pictures of another size than the cameras were made for."""
    if capture.size is None:
        return
    wanted = tuple(size // downscale for size in capture.size)
    if wanted != (images.shape[2], images.shape[1]):
        said = " x ".join(map(str, capture.size))
        found = " x ".join(str(size * downscale) for size in (images.shape[2], images.shape[1]))
        raise scene_error(
            capture.file,
            f"its cameras are made for images of {said} pixels, {capture.views[0].file.name} "
            f"has about {found}; hand over the images that belong to it",
        )
