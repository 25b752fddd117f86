"""Pixels to rays. Directions have unit length, so distances along them are Euclidean; pixel
centres lie at +0.5; the camera looks along -z with y up (see scenes/scene.py)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.scene import Float32, Scene


def pixel_directions(
    world_from_camera: Float32,
    focal: Float32,
    centre: Float32,
    columns: NDArray[np.int64],
    rows: NDArray[np.int64],
) -> Float32:
    """Unit directions in the world, (rows, columns, 3), of one camera's pixels."""
    x = (columns + 0.5 - centre[0]) / focal[0]
    y = -(rows + 0.5 - centre[1]) / focal[1]
    grid_x, grid_y = np.meshgrid(x, y)
    in_camera = np.stack((grid_x, grid_y, -np.ones_like(grid_x)), axis=-1)
    in_world = in_camera @ world_from_camera[:3, :3].astype(np.float64).T
    in_world /= np.linalg.norm(in_world, axis=-1, keepdims=True)
    return in_world.astype(np.float32)


def view_directions(scene: Scene, view: int, stride: int = 1) -> Float32:
    """Unit directions (rows, columns, 3) of every `stride`-th pixel of a view."""
    first = stride // 2
    return pixel_directions(
        scene.world_from_camera[view],
        scene.focal[view],
        scene.centre[view],
        np.arange(first, scene.width, stride),
        np.arange(first, scene.height, stride),
    )


def view_pixels(scene: Scene, view: int, stride: int = 1) -> Float32:
    """The colours (rows, columns, 3) that belong to `view_directions` of the same arguments."""
    first = stride // 2
    return scene.images[view, first::stride, first::stride]
