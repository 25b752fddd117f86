"""Pixels to rays, and points back to pixels.

Directions have unit length, so distances along them are Euclidean. Pixel centres lie at +0.5. The
camera looks along -z with y up (see scenes/scene.py), while image rows count downwards.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.cameras.direction_table import DirectionTable, direction_table
from nerf.scenes.cameras.lens import (
    Lens,
    directions_to_plane,
    lens_of,
    plane_to_directions,
    shown,
)
from nerf.scenes.scene import Float32, Scene


def pixel_directions(
    world_from_camera: Float32,
    focal: Float32,
    centre: Float32,
    columns: NDArray[np.int64],
    rows: NDArray[np.int64],
    lens: Lens | None = None,
) -> Float32:
    """Unit directions in the world, (rows, columns, 3), through the centres of pixels."""
    # The image plane at distance 1, y down.
    x = (columns + 0.5 - centre[0]) / focal[0]
    y = (rows + 0.5 - centre[1]) / focal[1]
    right, down = np.meshgrid(x, y)
    return _unit_in_world(plane_to_directions(lens or Lens(), right, down), world_from_camera)


def view_directions(scene: Scene, view: int, stride: int = 1) -> Float32:
    """Unit directions (rows, columns, 3) of every `stride`-th pixel of a view."""
    first, pose = stride // 2, scene.world_from_camera[view]
    columns = np.arange(first, scene.width, stride)
    rows = np.arange(first, scene.height, stride)
    if lens_of(scene, view).is_ideal_pinhole:
        return pixel_directions(pose, scene.focal[view], scene.centre[view], columns, rows)
    return _unit_in_world(view_table(scene, view).at_grid(columns, rows), pose)


def view_table(scene: Scene, view: int) -> DirectionTable:
    """The table that a view's directions are interpolated from, in its camera's frame."""
    (across, down), (x, y) = scene.focal[view].tolist(), scene.centre[view].tolist()
    lens = lens_of(scene, view)
    return direction_table(lens, (across, down), (x, y), scene.width, scene.height)


def shown_pixels(scene: Scene, view: int) -> NDArray[np.bool_] | None:
    """Which pixels (height, width) the lens shows something at; None if it does at all.

    A fisheye lens may leave the corners of an image dark.
    """
    lens = lens_of(scene, view)
    if lens.model != "fisheye":
        return None
    (across, down), (x, y) = scene.focal[view].tolist(), scene.centre[view].tolist()
    columns = (np.arange(scene.width) + 0.5 - x) / across
    rows = (np.arange(scene.height) + 0.5 - y) / down
    visible = shown(lens, *np.meshgrid(columns, rows))
    return None if visible.all() else visible


def view_pixels(scene: Scene, view: int, stride: int = 1) -> Float32:
    """Colours (rows, columns, 3) of the pixels that `view_directions` has the directions of."""
    first = stride // 2
    return scene.images[view, first::stride, first::stride]


def project(
    scene: Scene, view: int, points: NDArray[np.floating[Any]]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Projects points (..., 3) to a view: column, row and depth, each (...).

    Columns and rows are in pixels from the upper left corner of the image. The depth is along the
    optical axis, or along the ray for lenses that are not perspective; where it is not positive,
    column and row are meaningless.
    """
    pose = scene.world_from_camera[view].astype(np.float64)
    in_camera = (points - pose[:3, 3]) @ pose[:3, :3]  # the inverse rotation, for row vectors
    x, y, depth = directions_to_plane(lens_of(scene, view), in_camera)
    focal, centre = scene.focal[view], scene.centre[view]
    return x * focal[0] + centre[0], y * focal[1] + centre[1], depth


def _unit_in_world(in_camera: NDArray[np.float64], world_from_camera: Float32) -> Float32:
    in_world = in_camera @ world_from_camera[:3, :3].astype(np.float64).T
    in_world /= np.linalg.norm(in_world, axis=-1, keepdims=True)
    return in_world.astype(np.float32)
