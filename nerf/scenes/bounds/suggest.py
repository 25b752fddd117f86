"""Suggests near and far: the distances between which every camera sees the whole scene.

Distances are Euclidean, from the camera, in scene units. The sources, most reliable first: sparse
points of a reconstruction, bounds that the files state, the visual hull of silhouettes, points
matched between photographs, and the positions of the cameras alone.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.bounds.matching import INWARD, MIN_POINTS, OUTWARD, match_points
from nerf.scenes.bounds.visual_hull import carve_visual_hull, silhouettes
from nerf.scenes.cameras.canonical_frame import focus_point, looks_outward
from nerf.scenes.cameras.pixel_rays import project
from nerf.scenes.images import Float32, Mask
from nerf.scenes.scene import Bounds, Scene

Array = NDArray[np.float64]

MARGIN = 0.1
"""Bounds from measured distances are this share nearer and farther than the distances."""

GUESS = "the cameras alone (nothing matched: a guess)"
"""The basis of bounds that nothing was measured for."""

_PERCENTILES = (0.5, 99.5)
_MIN_NEAR_SHARE = 0.01  # of far, so that near is in front of every camera
_INWARD_GUESS = (0.1, 3.0)  # near and far, in multiples of the cameras' distance from their focus
_OUTWARD_GUESS = (0.5, 30.0)  # likewise; the focus is then the middle of the cameras


def with_bounds(scene: Scene, stated: Bounds | None = None) -> Scene:
    """Returns the scene with bounds and points, computed from its own images and cameras if needed.

    `stated` are bounds that its files give. They are kept, and widened to hold the points that are
    matched between the images, if those lie outside. Points that its files give are kept.
    """
    poses = scene.world_from_camera.astype(np.float64)
    given_points = 0 if scene.points is None else len(scene.points)
    if stated is not None and given_points:
        return replace(scene, bounds=stated)
    if given_points >= MIN_POINTS:
        distances = _all_distances(scene)
        if len(distances) >= MIN_POINTS:
            assert scene.points is not None
            return replace(scene, bounds=from_distances(distances, f"{len(scene.points)} points"))
    focus = focus_point(poses)
    distance = float(np.linalg.norm(poses[:, :3, 3] - focus, axis=1).mean())
    outward = looks_outward(poses) or _has_panoramas(scene)
    masks = None if outward or stated else silhouettes(scene)
    if masks is not None:
        hull, edge = _refined_hull(scene, masks, focus, distance)
        if len(hull):
            # A backdrop read from photographs may be a part of the scene after all.
            certain = scene.images.alphas is not None or not scene.background.any()
            return replace(scene, points=hull, bounds=_hull_bounds(poses, hull, edge, certain))
    points, distances = match_points(scene, distance, OUTWARD if outward else INWARD)
    if len(points) < MIN_POINTS:
        near, far = _OUTWARD_GUESS if outward else _INWARD_GUESS
        return replace(scene, bounds=stated or Bounds(near * distance, far * distance, GUESS))
    scene = replace(scene, points=points)
    if _has_panoramas(scene):  # a camera sees all points, not only those matched in its image
        distances = _all_distances(scene)
    bounds = from_distances(distances, f"{len(points)} points matched between the images")
    return replace(scene, bounds=_widened(stated, distances) if stated else bounds)


def _has_panoramas(scene: Scene) -> bool:
    return scene.lens_models is not None and "equirectangular" in scene.lens_models


def _widened(stated: Bounds, distances: Array) -> Bounds:
    """The stated bounds; where matched points lie beyond one, that of the points in its place."""
    basis = f"{stated.basis} and {len(distances)} points matched beyond them"
    low, high = np.percentile(distances, _PERCENTILES)
    if stated.near <= low and high <= stated.far:
        return stated
    matched = from_distances(distances, "points")
    near = matched.near if low < stated.near else stated.near
    far = matched.far if high > stated.far else stated.far
    return Bounds(near, far, basis)


def _all_distances(scene: Scene) -> Array:
    """Distances of every training camera from the scene's points that lie within its image."""
    assert scene.points is not None
    points = scene.points.astype(np.float64)
    return np.concatenate([distances_in_frame(scene, view, points) for view in scene.train])


def distances_in_frame(scene: Scene, view: int, points: Array) -> Array:
    """Distances of a camera from those of the points (n, 3) that lie within its image."""
    column, row, depth = project(scene, view, points)
    top, left, height, width = scene.images.frame(view)
    seen = (depth > 0) & (column >= left) & (column <= left + width)
    seen &= (row >= top) & (row <= top + height)
    eye = scene.world_from_camera[view, :3, 3].astype(np.float64)
    return np.asarray(np.linalg.norm(points[seen] - eye, axis=1))


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
