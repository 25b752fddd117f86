"""Suggests near and far: the distances between which every camera sees the whole scene.

Distances are Euclidean, from the camera, in scene units. The sources, most reliable first: sparse
points of a reconstruction, the visual hull of silhouettes, points matched between photographs, and
the positions of the cameras alone.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.bounds.matching import MIN_POINTS, match_points
from nerf.scenes.bounds.visual_hull import Mask, carve_visual_hull, silhouettes
from nerf.scenes.cameras.canonical_frame import focus_point
from nerf.scenes.scene import Bounds, Float32, Scene

Array = NDArray[np.float64]

MARGIN = 0.1
"""Bounds from measured distances are this share nearer and farther than the distances."""

_PERCENTILES = (0.5, 99.5)
_MIN_NEAR_SHARE = 0.01  # of far, so that near is in front of every camera


def with_bounds(scene: Scene) -> Scene:
    """Returns the scene with bounds and points computed from its own images and cameras."""
    poses = scene.world_from_camera.astype(np.float64)
    focus = focus_point(poses)
    distance = float(np.linalg.norm(poses[:, :3, 3] - focus, axis=1).mean())
    masks = silhouettes(scene)
    if masks is not None:
        hull, edge = _refined_hull(scene, masks, focus, distance)
        if len(hull):
            # A backdrop read from photographs may be a part of the scene after all.
            certain = scene.alphas is not None or not scene.background.any()
            return replace(scene, points=hull, bounds=_hull_bounds(poses, hull, edge, certain))
    points, distances = match_points(scene, distance)
    if len(points) >= MIN_POINTS:
        bounds = from_distances(distances, f"{len(points)} points matched between the images")
        return replace(scene, points=points, bounds=bounds)
    guess = Bounds(0.1 * distance, 3 * distance, "the cameras alone (nothing matched: a guess)")
    return replace(scene, bounds=guess)


def from_distances(distances: Array, points: str) -> Bounds:
    """Bounds around the 0.5 to 99.5 percentiles of camera-to-point distances, with a margin.

    `points` describes the points, for `Bounds.basis`.
    """
    low, high = np.percentile(distances, _PERCENTILES)
    far = float(high * (1 + MARGIN))
    near = max(float(low * (1 - MARGIN)), _MIN_NEAR_SHARE * far)
    return Bounds(near, far, f"the distances of {points}")


def _refined_hull(
    scene: Scene, masks: Mask, focus: Array, distance: float
) -> tuple[Float32, float]:
    """The hull's cubes and their edge: computed twice, the second time in the box of the first."""
    hull, edge = carve_visual_hull(scene, masks, focus, distance)
    if not len(hull):
        return hull, edge
    low, high = hull.min(0).astype(np.float64), hull.max(0).astype(np.float64)
    return carve_visual_hull(scene, masks, (low + high) / 2, float((high - low).max() / 2 + edge))


def _hull_bounds(poses: Array, hull: Float32, edge: float, certain: bool) -> Bounds:
    """Bounds that hold every cube of the hull for every camera."""
    distances = np.linalg.norm(poses[:, None, :3, 3] - hull[None], axis=-1)  # (views, cubes)
    half_diagonal = edge * np.sqrt(3) / 2
    near = float(distances.min() - half_diagonal)
    far = float(distances.max() + half_diagonal)
    near = max(near, _MIN_NEAR_SHARE * far)
    return Bounds(near, far, "the hull of the silhouettes", certain)
