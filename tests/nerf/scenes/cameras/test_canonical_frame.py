from __future__ import annotations

import numpy as np
import pytest

from nerf.scenes.builtin import bricks
from nerf.scenes.cameras.canonical_frame import focus_point, to_canonical_frame


@pytest.mark.parametrize("seed", range(5))
def test_canonical_frame_undoes_any_similarity(seed: int) -> None:
    draw = np.random.default_rng(seed)
    rotation = np.linalg.qr(draw.normal(size=(3, 3)))[0]
    rotation *= np.linalg.det(rotation)
    shift, scale = draw.normal(size=3) * 10, draw.uniform(0.01, 100)
    poses = bricks.camera_poses(30).astype(np.float64)
    points = draw.normal(size=(9, 3))
    moved = poses.copy()
    moved[:, :3, :3] = rotation @ poses[:, :3, :3]
    moved[:, :3, 3] = scale * poses[:, :3, 3] @ rotation.T + shift
    back, back_points, applied = to_canonical_frame(moved, scale * points @ rotation.T + shift)
    assert applied * scale == pytest.approx(4 / bricks.CAMERA_DISTANCE, rel=1e-2)
    np.testing.assert_allclose(np.linalg.norm(back[:, :3, 3], axis=1), 4, atol=0.02)
    # Only the rotation about the upright axis is free.
    heights = poses[:, 2, 3] * 4 / bricks.CAMERA_DISTANCE
    np.testing.assert_allclose(back[:, 2, 3], heights, atol=0.1)
    np.testing.assert_allclose(
        np.linalg.norm(back_points[:, None] - back[None, :, :3, 3], axis=-1),
        applied * scale * np.linalg.norm(points[:, None] - poses[None, :, :3, 3], axis=-1),
        rtol=1e-6,
    )


def test_focus_point_is_the_point_that_all_cameras_look_at() -> None:
    poses = bricks.camera_poses(20).astype(np.float64)
    poses[:, :3, 3] += (1, 2, 3)
    np.testing.assert_allclose(focus_point(poses), (1, 2, 3), atol=0.02)


def test_focus_point_of_parallel_cameras_is_as_far_as_the_points() -> None:
    poses = np.tile(np.eye(4), (9, 1, 1))
    poses[:, 0, 3] = np.linspace(-1, 1, 9)
    np.testing.assert_allclose(focus_point(poses, np.array([0.1, 0, -7])), (0, 0, -7), atol=0.11)
    spread = poses[:, 0, 3].std()
    np.testing.assert_allclose(focus_point(poses), (0, 0, -4 * spread), atol=1e-6)


def test_focus_point_of_cameras_that_look_outward_is_their_mean_position() -> None:
    poses = bricks.camera_poses(20).astype(np.float64)
    poses[:, :3, :3] *= (-1, 1, -1)
    np.testing.assert_allclose(focus_point(poses), poses[:, :3, 3].mean(0))
