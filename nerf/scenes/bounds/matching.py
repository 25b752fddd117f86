"""Points matched between photographs whose cameras are known: a plane sweep over small patches.

A patch of one view is put at each of some distances and looked up in neighbouring views; where
one distance agrees far better than all others (normalised cross-correlation), a point is found.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.cameras import pixel_rays as cameras
from nerf.scenes.scene import Float32, Scene

MIN_POINTS = 40
"""Fewer matches than these are taken for chance."""

_VIEWS = 16
_NEIGHBOURS = 3
_PATCHES = 120
_OFFSETS = np.arange(-4, 5, 2)  # pixels of a patch around its middle
_PLANES = 64
_RANGE = (0.1, 5.0)  # of the cameras' mean distance from what they look at
_AGREEMENT = 0.85
_LEAD = 0.08  # of the best distance over any that is not beside it
_BASELINE = 0.15  # wanted between neighbours, as a share of the same distance

Array = NDArray[np.float64]


def match_points(scene: Scene, distance: float) -> tuple[Float32, Array]:
    """Points (n, 3) seen in several training views, and their distances from those views' cameras.

    `distance` is how far the cameras stand from what they look at, roughly.
    """
    views = np.array(scene.train)
    chosen = np.unique(np.linspace(0, len(views) - 1, _VIEWS).round().astype(int))
    planes = np.geomspace(*_RANGE, _PLANES) * distance
    points, distances = [np.empty((0, 3))], [np.empty(0)]
    grey = scene.images.mean(-1)
    for view in views[chosen].tolist():
        neighbours = _neighbours(scene, view, views, distance)
        columns, rows = _patches(grey[view])
        if not len(neighbours) or not len(columns):
            continue
        directions = _patch_directions(scene, view, columns, rows)
        scores = _scores(scene, grey, view, neighbours, (columns, rows), directions, planes)
        best = scores.argmax(1)
        sure = _sure(scores, best)
        middle = directions[:, directions.shape[1] // 2]
        eye = scene.world_from_camera[view, :3, 3]
        found = eye + (planes[best, None] * middle)[sure]
        points.append(found)
        distances.append(np.linalg.norm(found - eye, axis=1))
    return np.concatenate(points).astype(np.float32), np.concatenate(distances)


def _neighbours(scene: Scene, view: int, views: NDArray[np.int64], distance: float) -> list[int]:
    """Views that look the same way from a little aside, the most useful first."""
    pose = scene.world_from_camera
    baseline = np.linalg.norm(pose[views, :3, 3] - pose[view, :3, 3], axis=1) / distance
    alike = pose[views, :3, 2] @ pose[view, :3, 2] > np.cos(np.radians(30))
    usable = alike & (baseline > 0.02) & (views != view)
    order = np.argsort(np.abs(np.log(np.maximum(baseline, 1e-9) / _BASELINE)))
    return [int(views[i]) for i in order if usable[i]][:_NEIGHBOURS]


def _patches(grey: Float32) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Columns and rows of patches' middles: the most textured place of each cell of a grid."""
    rim = int(_OFFSETS.max()) + 1
    down, right = np.gradient(grey.astype(np.float64))
    energy = np.minimum(np.abs(down), np.abs(right))  # corners, not straight edges
    energy[:rim], energy[-rim:], energy[:, :rim], energy[:, -rim:] = 0, 0, 0, 0
    height, width = grey.shape
    cell = max(int(np.sqrt(height * width / _PATCHES)), 2 * rim)
    columns, rows = [], []
    for top in range(0, height, cell):
        for left in range(0, width, cell):
            block = energy[top : top + cell, left : left + cell]
            row, column = np.unravel_index(block.argmax(), block.shape)
            if block[row, column] > 0.01:
                columns.append(left + int(column))
                rows.append(top + int(row))
    return np.array(columns, np.int64), np.array(rows, np.int64)


def _patch_directions(
    scene: Scene, view: int, columns: NDArray[np.int64], rows: NDArray[np.int64]
) -> Array:
    """(patches, pixels, 3): through each pixel of each patch, to the plane that its middle is on.

    The middle pixel's direction has unit length, so that multiples of it are distances.
    """
    directions = _around(cameras.view_directions(scene, view).astype(np.float64), columns, rows)
    depth = -directions @ scene.world_from_camera[view, :3, 2]
    middle = depth.shape[1] // 2
    return directions * (depth[:, middle, None] / depth)[..., None]


def _around(picture: Array, columns: NDArray[np.int64], rows: NDArray[np.int64]) -> Array:
    """(patches, pixels, ...): what a picture holds at the pixels of each patch."""
    down, right = np.meshgrid(_OFFSETS, _OFFSETS, indexing="ij")
    return np.asarray(
        picture[rows[:, None] + down.reshape(-1), columns[:, None] + right.reshape(-1)]
    )


def _scores(
    scene: Scene,
    grey: Float32,
    view: int,
    neighbours: list[int],
    places: tuple[NDArray[np.int64], NDArray[np.int64]],
    directions: Array,
    planes: Array,
) -> Array:
    """(patches, planes): how well each plane agrees with the second best of the neighbours."""
    own = _standardised(_around(grey[view].astype(np.float64), *places))
    points = scene.world_from_camera[view, :3, 3] + planes[:, None, None, None] * directions
    agreement = []
    for neighbour in neighbours:
        column, row, depth = cameras.project(scene, neighbour, points)
        seen = _sample(grey[neighbour], column, row, depth)
        agreement.append((_standardised(seen) * own).sum(-1))
    ranked = np.sort(np.nan_to_num(np.stack(agreement), nan=-1), axis=0)
    return np.asarray(ranked[-min(2, len(ranked))].T)


def _standardised(patches: Array) -> Array:
    """Mean zero and length one along the last axis, so that a product is a correlation."""
    centred = patches - patches.mean(-1, keepdims=True)
    length = np.sqrt((centred**2).sum(-1, keepdims=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(length > 0.05, centred / length, np.nan)


def _sample(grey: Float32, column: Array, row: Array, depth: Array) -> Array:
    """Bilinear look-up at places in pixels from the corner; NaN outside the picture."""
    height, width = grey.shape
    x, y = column - 0.5, row - 0.5
    inside = (depth > 0) & (x >= 0) & (y >= 0) & (x < width - 1) & (y < height - 1)
    x, y = np.where(inside, x, 0), np.where(inside, y, 0)
    left, top = x.astype(int), y.astype(int)
    across, down = x - left, y - top
    upper = grey[top, left] * (1 - across) + grey[top, left + 1] * across
    lower = grey[top + 1, left] * (1 - across) + grey[top + 1, left + 1] * across
    return np.where(inside, upper * (1 - down) + lower * down, np.nan)


def _sure(scores: Array, best: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where one plane, not an outermost one, agrees well and no distant one does nearly as well."""
    planes = np.arange(scores.shape[1])
    rivals = np.where(np.abs(planes - best[:, None]) > 3, scores, -1).max(1)
    top = np.take_along_axis(scores, best[:, None], 1)[:, 0]
    inner = (best > 0) & (best < scores.shape[1] - 1)
    return np.asarray(inner & (top > _AGREEMENT) & (top - rivals > _LEAD))
