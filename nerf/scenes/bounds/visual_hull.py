"""The object's visual hull: the part of space that lies inside the silhouette in every view.

Computed by space carving on a grid of 48^3 cubes (Laurentini 1994 defines the hull): a cube is
removed if it projects wholly outside the silhouette of some training view.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.cameras.pixel_rays import project
from nerf.scenes.images import Float32, Mask
from nerf.scenes.scene import Scene

_CUBES_PER_SIDE = 48
_MAX_VIEWS = 32
_MIN_VISIBLE = 4 / 255
"""Smallest alpha, or difference from the background, that belongs to the object."""

_MIN_EMPTY_SHARE = 0.1
"""Share of background pixels that the median view needs, to be more than a photograph."""


def silhouettes(scene: Scene) -> Mask | None:
    """Masks (views, height, width) of the object, from the alphas or the background colour.

    None if most images are filled to their edges, as photographs are: there the surroundings
    belong to the scene.
    """
    images = scene.images

    def is_background(colours: Float32) -> Mask:
        return np.asarray(np.abs(colours - scene.background) <= _MIN_VISIBLE)

    if images.alphas is not None:
        masks = np.stack([images.alpha(view) > _MIN_VISIBLE for view in range(len(images))])
    else:
        masks = np.stack([~images.matches(view, is_background) for view in range(len(images))])
    if images.valid is not None:
        masks |= ~images.valid  # what is behind a mask is unknown: it carves nothing
    empty = 1 - masks.mean((1, 2))
    return masks if np.median(empty) > _MIN_EMPTY_SHARE and masks.any() else None


def carve_visual_hull(
    scene: Scene, masks: Mask, middle: NDArray[np.float64], reach: float
) -> tuple[Float32, float]:
    """Centres (n, 3) of the cubes of the hull, and their edge.

    The cubes fill the box within `reach` of `middle` along each axis. A cube is removed if some
    training view sees it wholly outside the silhouette, or if it is out of frame in at least half
    of the views, which cannot speak against it. n is 0 if the silhouettes contradict each other.
    """
    # Centres of the cubes, n of them, that fill the box middle - reach .. middle + reach.
    ticks = (np.arange(_CUBES_PER_SIDE) + 0.5) / _CUBES_PER_SIDE * 2 - 1
    grid = np.stack(np.meshgrid(ticks, ticks, ticks, indexing="ij"), -1).reshape(-1, 3)
    points = middle + reach * grid
    edge = 2 * reach / _CUBES_PER_SIDE
    views_in_frame = np.zeros(len(points), int)
    chosen = np.unique(np.linspace(0, len(scene.train) - 1, _MAX_VIEWS).round().astype(int))
    for view in (scene.train[index] for index in chosen):
        remains, in_frame = _carve(scene, view, masks[view], points, edge)
        points, views_in_frame = points[remains], (views_in_frame + in_frame)[remains]
    return points[2 * views_in_frame > len(chosen)].astype(np.float32), edge


def _carve(
    scene: Scene, view: int, mask: Mask, points: NDArray[np.float64], edge: float
) -> tuple[Mask, Mask]:
    """For each cube (n): whether this view lets it remain, and whether it is in the frame."""
    column, row, depth = project(scene, view, points)
    in_frame = (depth > 0) & (column >= 0) & (column < scene.width)
    in_frame &= (row >= 0) & (row < scene.height)
    remains = np.ones(len(points), bool)
    # A cube remains if any pixel within its projected radius belongs to the silhouette. Dilating
    # the mask by that radius answers this with one lookup; cubes whose depths lie within a factor
    # of two share one mask, dilated for the nearest of them.
    octave = np.floor(np.log2(np.where(in_frame, depth, 1) / edge))
    for level in np.unique(octave[in_frame]):
        # Half a cube's diagonal, sqrt(3)/2 edge, in pixels at the depth edge * 2^level.
        radius = int(np.ceil(np.sqrt(3) / 2 * scene.focal[view].max() / 2.0**level))
        if radius < max(mask.shape):  # a larger radius reaches every pixel
            same = in_frame & (octave == level)
            remains[same] = _dilate(mask, radius)[row[same].astype(int), column[same].astype(int)]
    return remains, in_frame


def _dilate(mask: Mask, radius: int) -> Mask:
    """Dilates a mask by a square of `radius` pixels to all sides, one axis after the other."""
    for axis in (0, 1):
        # count[i] = number of set pixels before i; a window is set if the count grows across it.
        count = np.cumsum(np.insert(mask.astype(np.int64), 0, 0, axis), axis)
        size = mask.shape[axis]
        low = (np.arange(size) - radius).clip(0)
        high = (np.arange(size) + radius + 1).clip(max=size)
        mask = np.take(count, high, axis) > np.take(count, low, axis)
    return mask
