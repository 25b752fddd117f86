"""Camera paths for videos: an orbit around the origin, or a path through the training cameras.

Poses are world_from_camera matrices in OpenGL's convention (see scenes/scene.py).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.cameras.canonical_frame import looks_outward
from nerf.scenes.cameras.lens import lens_of
from nerf.scenes.scene import Float32, Scene

FORWARD_FACING_MEAN = 0.5
"""A capture is forward-facing if the horizontal part of the cameras' mean backward axis is longer
than this. It is 1 if all look the same way, and about 0 for cameras all around an object."""


def default_path(scene: Scene, frames: int) -> Float32:
    """Poses (frames, 4, 4) of an orbit; through the cameras if they look forward or outward."""
    if is_forward_facing(scene) or looks_outward(scene.world_from_camera.astype(np.float64)):
        return path_through_cameras(scene, frames)
    return orbit_path(frames, typical_radius(scene), typical_elevation(scene))


def orbit_path(frames: int, radius: float, elevation: float) -> Float32:
    """Poses (frames, 4, 4) on one circle around the z axis, looking at the origin.

    `radius` is the distance from the origin in scene units, `elevation` the angle above the
    horizon in degrees (below 90).
    """
    angles = np.arange(frames) * 2 * math.pi / frames
    height = math.radians(elevation)
    around = np.stack((np.cos(angles), np.sin(angles)), -1) * math.cos(height)
    backward = np.concatenate((around, np.full((frames, 1), math.sin(height))), -1)
    return _poses(radius * backward, backward, np.array([0.0, 0.0, 1.0]))


def path_through_cameras(scene: Scene, frames: int) -> Float32:
    """Poses (frames, 4, 4) along the training cameras in order and back, a loop without jumps."""
    cameras = scene.world_from_camera[list(scene.train)].astype(np.float64)
    loop = np.concatenate((cameras, cameras[-2:0:-1]))  # there and back, ends not repeated
    # Frame i lies between the cameras `before` and `after`, `fraction` of the way.
    position = np.arange(frames) * len(loop) / frames
    before = position.astype(int)
    fraction = (position - before)[:, None]
    after = loop[(before + 1) % len(loop)]

    def interpolated(column: int) -> NDArray[np.float64]:
        return np.asarray(
            (1 - fraction) * loop[before, :3, column] + fraction * after[:, :3, column]
        )

    return _poses(interpolated(3), interpolated(2), interpolated(1))


def pinhole_focal(scene: Scene) -> Float32:
    """Focal lengths (2,) of a pinhole that shows what the first camera shows, in its pixels.

    A panorama has no such: the pinhole then spans 90 degrees.
    """
    if lens_of(scene, 0).model == "equirectangular":
        return np.full(2, scene.width / 2, np.float32)
    return np.asarray(scene.focal[0])


def is_forward_facing(scene: Scene) -> bool:
    """Whether all cameras look roughly the same way, rather than inwards from all around."""
    horizontal = scene.world_from_camera[:, :3, 2].mean(axis=0)[:2]
    return bool(np.linalg.norm(horizontal) > FORWARD_FACING_MEAN)


def typical_radius(scene: Scene) -> float:
    """Median distance of the cameras from the origin, in scene units."""
    return float(np.median(np.linalg.norm(scene.world_from_camera[:, :3, 3], axis=-1)))


def typical_elevation(scene: Scene) -> float:
    """Median angle of the cameras above the horizon in degrees, clipped to -80..80."""
    positions = scene.world_from_camera[:, :3, 3]
    sines = positions[:, 2] / np.linalg.norm(positions, axis=-1)
    return float(np.clip(np.degrees(np.median(np.arcsin(sines))), -80, 80))


def _poses(positions: np.ndarray, backward: np.ndarray, up: np.ndarray) -> Float32:
    """Poses (n, 4, 4) from positions and backward axes (n, 3); `up` is made perpendicular."""
    backward = backward / np.linalg.norm(backward, axis=-1, keepdims=True)
    right = np.cross(up, backward)
    right /= np.linalg.norm(right, axis=-1, keepdims=True)
    poses = np.tile(np.eye(4), (len(positions), 1, 1))
    poses[:, :3, :3] = np.stack((right, np.cross(backward, right), backward), axis=-1)
    poses[:, :3, 3] = positions
    return poses.astype(np.float32)
