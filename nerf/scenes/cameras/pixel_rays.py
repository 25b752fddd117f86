"""Pixels to rays, and points back to pixels.

Directions have unit length, so distances along them are Euclidean. Pixel centres lie at +0.5. The
camera looks along -z with y up (see scenes/scene.py), while image rows count downwards.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.cameras.distortion import distort, undistort
from nerf.scenes.scene import Float32, Scene


def pixel_directions(
    world_from_camera: Float32,
    focal: Float32,
    centre: Float32,
    columns: NDArray[np.int64],
    rows: NDArray[np.int64],
    distortion: Float32 | None = None,
) -> Float32:
    """Unit directions in the world, (rows, columns, 3), through the centres of pixels."""
    # The image plane at distance 1, y down.
    x = (columns + 0.5 - centre[0]) / focal[0]
    y = (rows + 0.5 - centre[1]) / focal[1]
    right, down = np.meshgrid(x, y)
    if distortion is not None:
        right, down = undistort(right, down, distortion)
    in_camera = np.stack((right, -down, -np.ones_like(right)), axis=-1)
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
        None if scene.distortion is None else scene.distortion[view],
    )


def view_pixels(scene: Scene, view: int, stride: int = 1) -> Float32:
    """Colours (rows, columns, 3) of the pixels that `view_directions` has the directions of."""
    first = stride // 2
    return scene.images[view, first::stride, first::stride]


def project(
    scene: Scene, view: int, points: NDArray[np.floating[Any]]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Projects points (..., 3) to a view: column, row and depth, each (...).

    Columns and rows are in pixels from the upper left corner of the image, depth is along the
    optical axis. Where the depth is not positive, column and row are meaningless.
    """
    pose = scene.world_from_camera[view].astype(np.float64)
    in_camera = (points - pose[:3, 3]) @ pose[:3, :3]  # the inverse rotation, for row vectors
    depth = -in_camera[..., 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        x, y = in_camera[..., 0] / depth, -in_camera[..., 1] / depth
    if scene.distortion is not None:
        x, y = distort(x, y, scene.distortion[view])
    focal, centre = scene.focal[view], scene.centre[view]
    return x * focal[0] + centre[0], y * focal[1] + centre[1], depth
