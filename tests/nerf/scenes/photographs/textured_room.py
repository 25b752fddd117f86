"""Pictures with known cameras and many details: the inside of a box with blotched walls."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import map_coordinates

Array = NDArray[np.float64]

WIDTH, HEIGHT, FOCAL = 240, 180, 225.0
_HALF = np.array([2.0, 2.0, 1.2])  # of the box
_BLOTCHES = 50  # along a wall


def poses(views: int) -> Array:
    """Poses (views, 4, 4), OpenGL: on an arc of 70 degrees, looking across the room's middle."""
    arc = np.radians(np.linspace(0, 70, views))
    result = np.tile(np.eye(4), (views, 1, 1))
    for view, angle in enumerate(arc):
        height = 0.25 * math.sin(3 * angle)
        position = np.array([1.4 * math.cos(angle), 1.4 * math.sin(angle), height])
        back = position / np.linalg.norm(position)
        right = np.cross([0, 0, 1], back)
        right /= np.linalg.norm(right)
        result[view] = np.eye(4)
        result[view, :3] = np.stack([right, np.cross(back, right), back, position], axis=1)
    return result


def render(pose: Array) -> NDArray[np.uint8]:
    """The picture (height, width, 3) from one pose."""
    x, y = np.meshgrid(np.arange(WIDTH) + 0.5 - WIDTH / 2, np.arange(HEIGHT) + 0.5 - HEIGHT / 2)
    rays = np.stack([x / FOCAL, -y / FOCAL, -np.ones_like(x)], axis=-1) @ pose[:3, :3].T
    distances = (np.sign(rays) * _HALF - pose[:3, 3]) / np.where(rays == 0, 1e-9, rays)
    axis = distances.argmin(-1)
    hits = pose[:3, 3] + rays * np.take_along_axis(distances, axis[..., None], -1)
    positive = np.take_along_axis(hits, axis[..., None], -1)[..., 0] > 0
    picture = np.empty((HEIGHT, WIDTH, 3))
    for wall in range(6):
        here = (axis == wall // 2) & (positive == bool(wall % 2))
        on_wall = np.delete(hits[here] / _HALF.max(), wall // 2, axis=1)  # in [-1, 1]
        grid = np.random.default_rng(wall).uniform(20, 235, (3, _BLOTCHES, _BLOTCHES))
        where = (on_wall.T + 1) / 2 * (_BLOTCHES - 1)
        picture[here] = np.stack([map_coordinates(channel, where, order=1) for channel in grid], -1)
    return picture.clip(0, 255).astype(np.uint8)


def write_pictures(folder: Path, views: int) -> Array:
    """Writes `view 00.jpg` and so on; returns their poses."""
    folder.mkdir(parents=True, exist_ok=True)
    truth = poses(views)
    for view, pose in enumerate(truth):
        Image.fromarray(render(pose)).save(folder / f"view {view:02d}.jpg", quality=95)
    return truth


def aligned_errors(estimated: Array, truth: Array) -> tuple[Array, Array]:
    """Errors of positions, relative to their spread, and of rotations in degrees.

    After the similarity of least squares (Umeyama 1991) that maps `estimated` to `truth`.
    """
    sources, targets = estimated[:, :3, 3], truth[:, :3, 3]
    source_mean, target_mean = sources.mean(0), targets.mean(0)
    covariance = (targets - target_mean).T @ (sources - source_mean) / len(sources)
    u, stretch, vt = np.linalg.svd(covariance)
    mirror = np.diag([1, 1, np.linalg.det(u @ vt)])
    rotation = u @ mirror @ vt
    scale = np.trace(np.diag(stretch) @ mirror) / sources.var(0).sum()
    moved = scale * (sources - source_mean) @ rotation.T + target_mean
    spread = math.sqrt(targets.var(0).sum())
    residual = np.swapaxes(truth[:, :3, :3], 1, 2) @ rotation @ estimated[:, :3, :3]
    cosine = (np.trace(residual, axis1=1, axis2=2) - 1) / 2
    degrees = np.degrees(np.arccos(cosine.clip(-1, 1)))
    return np.linalg.norm(moved - targets, axis=1) / spread, degrees
