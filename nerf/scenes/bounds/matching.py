"""Surface points from photographs with known cameras, by a plane sweep over small patches.

A patch of one view is projected to its neighbouring views from many distances (Collins 1996),
and compared there by normalised cross-correlation. Where one distance matches far better than all
others, it gives a point.

patches   textured places of a view, each 5 x 5 pixels, two pixels apart
planes    the distances tried, ascending, along the ray through a patch's middle pixel
scores    (patches, planes): the correlation, in -1..1
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.cameras.lens import lens_of
from nerf.scenes.cameras.pixel_rays import project, view_directions
from nerf.scenes.images import Float32, Mask
from nerf.scenes.scene import PERSPECTIVE, Scene

MIN_POINTS = 40
"""With fewer matched points, the matches are likely to be chance."""


class Sweep(NamedTuple):
    """Distances that are tried, in multiples of the cameras' focus distance, and by which views."""

    nearest: float
    farthest: float
    baseline: float
    """The best distance between two cameras. A short baseline shows little parallax, a long one
    changes what a patch looks like."""
    max_angle: float
    """Largest angle in degrees between the optical axes of two cameras."""


INWARD = Sweep(0.1, 5.0, baseline=0.15, max_angle=30)
OUTWARD = Sweep(0.25, 100.0, baseline=0.6, max_angle=40)
"""For cameras that look away from their focus, which says little of how far away things are."""


_MAX_VIEWS = 16
_MAX_NEIGHBOURS = 3
_MIN_BASELINE = 0.02  # in multiples of the cameras' focus distance
_PATCHES_PER_VIEW = 120
_PATCH_OFFSETS = np.arange(-4, 5, 2)  # pixels from the middle of a patch, along rows and columns
_MIN_TEXTURE = 0.01  # grey values per pixel
_MIN_CONTRAST = 0.05  # norm of a patch's grey values about their mean
_PLANES_PER_OCTAVE = 11.3
_MIN_SCORE = 0.85
_MIN_LEAD = 0.08  # of the best score over those of all planes that are not beside it
_PLANES_BESIDE = 3

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


def match_points(
    scene: Scene, focus_distance: float, sweep: Sweep = INWARD
) -> tuple[Float32, Array]:
    """Surface points (n, 3), and the distance (n) of each from the camera it was matched in.

    `focus_distance` is the rough distance from the cameras to the point that they look at.
    """
    views = np.array(scene.train)
    chosen = np.unique(np.linspace(0, len(views) - 1, _MAX_VIEWS).round().astype(int))
    count = round(_PLANES_PER_OCTAVE * np.log2(sweep.farthest / sweep.nearest))
    planes = np.geomspace(sweep.nearest, sweep.farthest, count) * focus_distance
    points, distances = [np.empty((0, 3))], [np.empty(0)]
    grey = cache(lambda view: scene.images[view].mean(-1))
    for view in views[chosen].tolist():
        neighbours = _neighbours(scene, view, views, focus_distance, sweep)
        columns, rows = _textured_places(grey(view), scene.images.valid_in(view))
        if not len(neighbours) or not len(columns):
            continue
        directions = _patch_directions(scene, view, columns, rows)
        scores = _scores(scene, grey, view, neighbours, (columns, rows), directions, planes)
        best = scores.argmax(1)
        unambiguous = _unambiguous(scores, best)
        middle = directions[:, directions.shape[1] // 2]
        eye = scene.world_from_camera[view, :3, 3]
        matched = eye + (planes[best, None] * middle)[unambiguous]
        points.append(matched)
        distances.append(np.linalg.norm(matched - eye, axis=1))
    return np.concatenate(points).astype(np.float32), np.concatenate(distances)


def _neighbours(
    scene: Scene, view: int, views: Indices, focus_distance: float, sweep: Sweep
) -> list[int]:
    """Up to 3 views that look nearly the same way, those with the best baseline first."""
    pose = scene.world_from_camera
    baseline = np.linalg.norm(pose[views, :3, 3] - pose[view, :3, 3], axis=1) / focus_distance
    similar = pose[views, :3, 2] @ pose[view, :3, 2] > np.cos(np.radians(sweep.max_angle))
    usable = similar & (baseline > _MIN_BASELINE) & (views != view)
    order = np.argsort(np.abs(np.log(np.maximum(baseline, 1e-9) / sweep.baseline)))
    return [int(views[i]) for i in order if usable[i]][:_MAX_NEIGHBOURS]


def _textured_places(grey: Float32, valid: Mask | None) -> tuple[Indices, Indices]:
    """Columns and rows of patches' middles: the most textured pixel of each cell of a grid."""
    rim = int(_PATCH_OFFSETS.max()) + 1
    down, right = np.gradient(grey.astype(np.float64))
    texture = np.minimum(np.abs(down), np.abs(right))  # high at corners, low on straight edges
    texture[:rim], texture[-rim:], texture[:, :rim], texture[:, -rim:] = 0, 0, 0, 0
    if valid is not None:
        texture[~valid] = 0
    height, width = grey.shape
    cell = max(int(np.sqrt(height * width / _PATCHES_PER_VIEW)), 2 * rim)
    columns, rows = [], []
    for top in range(0, height, cell):
        for left in range(0, width, cell):
            block = texture[top : top + cell, left : left + cell]
            row, column = np.unravel_index(block.argmax(), block.shape)
            if block[row, column] > _MIN_TEXTURE:
                columns.append(left + int(column))
                rows.append(top + int(row))
    return np.array(columns, np.int64), np.array(rows, np.int64)


def _patch_directions(scene: Scene, view: int, columns: Indices, rows: Indices) -> Array:
    """Directions (patches, pixels, 3) scaled so that one multiple puts a whole patch on a plane.

    The planes are parallel to the image. The middle pixel's direction has unit length, so its
    multiples are Euclidean distances.
    """
    directions = _patch_values(view_directions(scene, view).astype(np.float64), columns, rows)
    if lens_of(scene, view).model != PERSPECTIVE:  # planes do not fit so wide a view: spheres
        return directions
    depth = -directions @ scene.world_from_camera[view, :3, 2]  # of a unit step, along the axis
    middle = depth.shape[1] // 2
    return directions * (depth[:, middle, None] / depth)[..., None]


def _patch_values(image: Array, columns: Indices, rows: Indices) -> Array:
    """The values (patches, pixels, ...) of an image (height, width, ...) in each patch."""
    down, right = np.meshgrid(_PATCH_OFFSETS, _PATCH_OFFSETS, indexing="ij")
    return np.asarray(image[rows[:, None] + down.reshape(-1), columns[:, None] + right.reshape(-1)])


def _scores(
    scene: Scene,
    grey: Callable[[int], Float32],
    view: int,
    neighbours: list[int],
    places: tuple[Indices, Indices],
    directions: Array,
    planes: Array,
) -> Array:
    """Correlation (patches, planes) of each patch with the neighbour that matches second best.

    The second best rather than the best, so that two views must agree on a distance.
    """
    patches = _standardise(_patch_values(grey(view).astype(np.float64), *places))
    # (planes, patches, pixels, 3)
    points = scene.world_from_camera[view, :3, 3] + planes[:, None, None, None] * directions
    correlations = []
    for neighbour in neighbours:
        column, row, depth = project(scene, neighbour, points)
        sampled = _sample(grey(neighbour), column, row, depth)
        correlations.append((_standardise(sampled) * patches).sum(-1))
    # NaN, for a patch that is not wholly in the neighbour's image, ranks last.
    ranked = np.sort(np.nan_to_num(np.stack(correlations), nan=-1), axis=0)
    return np.asarray(ranked[-min(2, len(ranked))].T)


def _standardise(patches: Array) -> Array:
    """Scales to mean 0 and norm 1 along the last axis, so that a dot product is a correlation."""
    centred = patches - patches.mean(-1, keepdims=True)
    length = np.sqrt((centred**2).sum(-1, keepdims=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(length > _MIN_CONTRAST, centred / length, np.nan)


def _sample(grey: Float32, column: Array, row: Array, depth: Array) -> Array:
    """Bilinear interpolation at columns and rows in pixels; NaN outside the image."""
    height, width = grey.shape
    # Pixel i is centred at i + 0.5, so the pixel to the left of x is floor(x - 0.5).
    x, y = column - 0.5, row - 0.5
    inside = (depth > 0) & (x >= 0) & (y >= 0) & (x < width - 1) & (y < height - 1)
    x, y = np.where(inside, x, 0), np.where(inside, y, 0)
    left, top = x.astype(int), y.astype(int)
    across, down = x - left, y - top
    upper = grey[top, left] * (1 - across) + grey[top, left + 1] * across
    lower = grey[top + 1, left] * (1 - across) + grey[top + 1, left + 1] * across
    return np.where(inside, upper * (1 - down) + lower * down, np.nan)


def _unambiguous(scores: Array, best: Indices) -> NDArray[np.bool_]:
    """Whether each patch (patches) has one clearly best plane, and not the first or the last."""
    planes = np.arange(scores.shape[1])
    rivals = np.where(np.abs(planes - best[:, None]) > _PLANES_BESIDE, scores, -1).max(1)
    top = np.take_along_axis(scores, best[:, None], 1)[:, 0]
    # The best of the outermost planes may only be the nearest to a distance that was not tried.
    inner = (best > 0) & (best < scores.shape[1] - 1)
    return np.asarray(inner & (top > _MIN_SCORE) & (top - rivals > _MIN_LEAD))
