from __future__ import annotations

import dataclasses

import numpy as np

from nerf.scenes.cameras.camera_paths import (
    is_forward_facing,
    orbit_path,
    path_through_cameras,
    typical_radius,
)
from nerf.scenes.scene import Scene
from tests.ball import look_at_origin


def test_an_orbit_keeps_its_distance_and_looks_at_the_middle() -> None:
    poses = orbit_path(12, radius=3.0, elevation=30.0)
    positions = poses[:, :3, 3]
    np.testing.assert_allclose(np.linalg.norm(positions, axis=1), 3, atol=1e-5)
    np.testing.assert_allclose(positions[:, 2], 1.5, atol=1e-5)
    for pose in poses:
        np.testing.assert_allclose(pose, look_at_origin(pose[:3, 3].astype(float)), atol=1e-5)
    gaps = np.linalg.norm(positions - np.roll(positions, 1, axis=0), axis=1)
    np.testing.assert_allclose(gaps, gaps[0], atol=1e-5)  # the last joins the first


def test_a_flight_through_the_cameras_passes_each_one_smoothly(ball: Scene) -> None:
    cameras = ball.world_from_camera[list(ball.train)]
    poses = path_through_cameras(ball, frames=10 * (2 * len(cameras) - 2))
    for camera in cameras:
        assert np.abs(poses - camera).max(axis=(1, 2)).min() < 1e-5
    steps = np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=1)
    assert steps.max() < 0.5
    rotations = poses[:, :3, :3]
    np.testing.assert_allclose(
        rotations @ rotations.transpose(0, 2, 1),
        np.broadcast_to(np.eye(3), rotations.shape),
        atol=1e-5,
    )


def test_a_forward_facing_capture_is_recognised(ball: Scene) -> None:
    assert not is_forward_facing(ball)
    assert typical_radius(ball) == np.float32(4.4721360)
    same_way = ball.world_from_camera.copy()
    same_way[:, :3, :3] = same_way[0, :3, :3]
    assert is_forward_facing(dataclasses.replace(ball, world_from_camera=same_way))
