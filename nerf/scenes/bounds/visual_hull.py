"""The object's visual hull: the part of space whose every view falls inside the silhouettes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.cameras import pixel_rays as cameras
from nerf.scenes.scene import Float32, Scene

_RESOLUTION = 48
_VIEWS = 32
_VISIBLE = 4 / 255
_EMPTY_SHARE = 0.1

Mask = NDArray[np.bool_]


def silhouettes(scene: Scene) -> Mask | None:
    """(views, height, width): where each view shows the object.

    From the alphas, or from what differs from the background. None where most pictures are full
    to the brim: photographs, whose surroundings belong to the scene.
    """
    if scene.alphas is not None:
        masks = scene.alphas > _VISIBLE
    else:
        masks = (np.abs(scene.images - scene.background) > _VISIBLE).any(-1)
    empty = 1 - masks.mean((1, 2))
    return masks if np.median(empty) > _EMPTY_SHARE and masks.any() else None


def visual_hull(
    scene: Scene, masks: Mask, middle: NDArray[np.float64], reach: float
) -> tuple[Float32, float]:
    """Centres (n, 3) of the cubes, within `reach` of `middle`, that may hold some of the object.

    Beside them the cubes' edge. A cube stays unless some training view sees it whole outside the
    silhouette, or most have it outside their frame, where nothing could be said against it; n is 0
    where the silhouettes contradict each other.
    """
    ticks = (np.arange(_RESOLUTION) + 0.5) / _RESOLUTION * 2 - 1
    grid = np.stack(np.meshgrid(ticks, ticks, ticks, indexing="ij"), -1).reshape(-1, 3)
    points = middle + reach * grid
    edge = 2 * reach / _RESOLUTION
    seen = np.zeros(len(points), int)
    chosen = np.unique(np.linspace(0, len(scene.train) - 1, _VIEWS).round().astype(int))
    for view in (scene.train[index] for index in chosen):
        inside, framed = _inside(scene, view, masks[view], points, edge)
        points, seen = points[inside], (seen + framed)[inside]
    return points[2 * seen > len(chosen)].astype(np.float32), edge


def _inside(
    scene: Scene, view: int, mask: Mask, points: NDArray[np.float64], edge: float
) -> tuple[Mask, Mask]:
    """For each cube: whether this view leaves it standing, and whether it lies in the frame."""
    column, row, depth = cameras.project(scene, view, points)
    framed = (depth > 0) & (column >= 0) & (column < scene.width)
    framed &= (row >= 0) & (row < scene.height)
    inside = np.ones(len(points), bool)
    octave = np.floor(np.log2(np.where(framed, depth, 1) / edge))
    for near in np.unique(octave[framed]):
        # Half a cube's diagonal on the picture, so that a cube that the outline cuts is kept.
        around = int(np.ceil(np.sqrt(3) / 2 * scene.focal[view].max() / 2.0**near))
        if around < max(mask.shape):
            band = framed & (octave == near)
            inside[band] = _grow(mask, around)[row[band].astype(int), column[band].astype(int)]
    return inside, framed


def _grow(mask: Mask, pixels: int) -> Mask:
    """The mask widened by that many pixels to all sides, by a running count along each axis."""
    for axis in (0, 1):
        count = np.cumsum(np.insert(mask.astype(np.int64), 0, 0, axis), axis)
        size = mask.shape[axis]
        low = (np.arange(size) - pixels).clip(0)
        high = (np.arange(size) + pixels + 1).clip(max=size)
        mask = np.take(count, high, axis) > np.take(count, low, axis)
    return mask
