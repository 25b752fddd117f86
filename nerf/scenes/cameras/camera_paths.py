"""Camera paths to fly a trained field along."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.scene import Float32, Scene

FACING_SPREAD = 0.5
"""Cameras whose mean viewing direction is longer than this all look the same way: a forward-facing
capture, around which there is nothing to orbit. Cameras all around have a mean near zero."""


def orbit_path(frames: int, radius: float, elevation: float) -> Float32:
    """(frames, 4, 4) poses once around the origin, looking at it, z up.

    `radius` in scene units, `elevation` in degrees above the horizon (below 90).
    """
    angles = np.arange(frames) * 2 * math.pi / frames
    height = math.radians(elevation)
    around = np.stack((np.cos(angles), np.sin(angles)), -1) * math.cos(height)
    backward = np.concatenate((around, np.full((frames, 1), math.sin(height))), -1)
    return _poses(radius * backward, backward, np.array([0.0, 0.0, 1.0]))


def path_through_cameras(scene: Scene, frames: int) -> Float32:
    """(frames, 4, 4) poses along the training cameras in their order and back, without a jump."""
    cameras = scene.world_from_camera[list(scene.train)].astype(np.float64)
    there_and_back = np.concatenate((cameras, cameras[-2:0:-1]))
    at = np.arange(frames) * len(there_and_back) / frames
    left = at.astype(int)
    share = (at - left)[:, None]
    following = there_and_back[(left + 1) % len(there_and_back)]

    def between(column: int) -> NDArray[np.float64]:
        return np.asarray(
            (1 - share) * there_and_back[left, :3, column] + share * following[:, :3, column]
        )

    return _poses(between(3), between(2), between(1))


def default_path(scene: Scene, frames: int) -> Float32:
    """(frames, 4, 4) poses that suit the scene: once around it, or along cameras that face it."""
    if is_forward_facing(scene):
        return path_through_cameras(scene, frames)
    return orbit_path(frames, typical_radius(scene), typical_elevation(scene))


def is_forward_facing(scene: Scene) -> bool:
    """Do all cameras look roughly the same way, rather than inwards from all around?"""
    horizontal = scene.world_from_camera[:, :3, 2].mean(axis=0)[:2]
    return bool(np.linalg.norm(horizontal) > FACING_SPREAD)


def typical_radius(scene: Scene) -> float:
    """The cameras' median distance from the origin, scene units."""
    return float(np.median(np.linalg.norm(scene.world_from_camera[:, :3, 3], axis=-1)))


def typical_elevation(scene: Scene) -> float:
    """The cameras' median height above the horizon, in degrees, kept between -80 and 80."""
    positions = scene.world_from_camera[:, :3, 3]
    sines = positions[:, 2] / np.linalg.norm(positions, axis=-1)
    return float(np.clip(np.degrees(np.median(np.arcsin(sines))), -80, 80))


def _poses(positions: np.ndarray, backward: np.ndarray, up: np.ndarray) -> Float32:
    backward = backward / np.linalg.norm(backward, axis=-1, keepdims=True)
    right = np.cross(up, backward)
    right /= np.linalg.norm(right, axis=-1, keepdims=True)
    poses = np.tile(np.eye(4), (len(positions), 1, 1))
    poses[:, :3, :3] = np.stack((right, np.cross(backward, right), backward), axis=-1)
    poses[:, :3, 3] = positions
    return poses.astype(np.float32)
