"""Suggested near and far: between which distances each camera sees all there is.

Distances are Euclidean, from the camera, in scene units. In order of trust: the sparse points of
a reconstruction, the hull of the silhouettes, points matched between photographs, and last the
cameras alone.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.bounds.matching import MIN_POINTS, match_points
from nerf.scenes.bounds.visual_hull import Mask, silhouettes, visual_hull
from nerf.scenes.cameras.canonical_frame import focus_point
from nerf.scenes.scene import Bounds, Float32, Scene

Distances = NDArray[np.float64]

_PERCENTILES = (0.5, 99.5)
MARGIN = 0.1
_LEAST = 0.01  # of far: near stays in front of every camera


def with_bounds(scene: Scene) -> Scene:
    """The scene with bounds, and points, found in its own images and cameras."""
    poses = scene.world_from_camera.astype(np.float64)
    middle = focus_point(poses)
    distance = float(np.linalg.norm(poses[:, :3, 3] - middle, axis=1).mean())
    masks = silhouettes(scene)
    if masks is not None:
        hull, edge = _hull(scene, masks, middle, distance)
        if len(hull):
            return replace(scene, points=hull, bounds=_hull_bounds(poses, hull, edge))
    points, distances = match_points(scene, distance)
    if len(points) >= MIN_POINTS:
        bounds = from_distances(distances, f"{len(points)} points matched between the images")
        return replace(scene, points=points, bounds=bounds)
    guess = Bounds(0.1 * distance, 3 * distance, "the cameras alone (nothing matched: a guess)")
    return replace(scene, bounds=guess)


def from_distances(distances: Distances, what: str) -> Bounds:
    """Bounds around the bulk of some measured distances, outliers left out, with a margin."""
    low, high = np.percentile(distances, _PERCENTILES)
    far = float(high * (1 + MARGIN))
    near = max(float(low * (1 - MARGIN)), _LEAST * far)
    return Bounds(near, far, f"the distances of {what}")


def _hull(scene: Scene, masks: Mask, middle: Distances, distance: float) -> tuple[Float32, float]:
    """The hull's cubes and their edge: found coarsely, then again in the box that it fills."""
    hull, edge = visual_hull(scene, masks, middle, distance)
    if not len(hull):
        return hull, edge
    low, high = hull.min(0).astype(np.float64), hull.max(0).astype(np.float64)
    return visual_hull(scene, masks, (low + high) / 2, float((high - low).max() / 2 + edge))


def _hull_bounds(poses: Distances, hull: Float32, edge: float) -> Bounds:
    """Every distance between a camera and the hull's cubes, whole cubes included."""
    distances = np.linalg.norm(poses[:, None, :3, 3] - hull[None], axis=-1)
    half = edge * np.sqrt(3) / 2
    near, far = float(distances.min() - half), float(distances.max() + half)
    return Bounds(max(near, _LEAST * far), far, "the hull of the silhouettes", certain=True)
