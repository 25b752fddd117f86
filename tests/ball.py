"""A scene small enough to train on within a second: a soft ball before black."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nerf.scenes.images import Images
from nerf.scenes.scene import Scene, split_views

VIEWS, SIZE = 12, 24


def look_at_origin(position: np.ndarray) -> np.ndarray:
    """world_from_camera of a camera at `position` that looks at the origin, z up."""
    backward = position / np.linalg.norm(position)
    right = np.cross([0.0, 0.0, 1.0], backward)
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.stack((right, np.cross(backward, right), backward), axis=1)
    pose[:3, 3] = position
    return pose


@pytest.fixture(scope="session")
def ball() -> Scene:
    """A unit ball, red on one side and blue on the other, seen from 4 units away."""
    images, poses = [], []
    for view in range(VIEWS):
        angle = 2 * np.pi * view / VIEWS
        pose = look_at_origin(4 * np.array([np.cos(angle), np.sin(angle), 0.5]))
        across = (np.arange(SIZE) + 0.5 - SIZE / 2) / SIZE * 4
        x, y = np.meshgrid(across, -across)
        inside = np.clip(4 * (1.2 - np.hypot(x, y)), 0, 1)
        colour = np.stack((0.5 + 0.4 * np.sin(angle + x), 0.3 + 0 * x, 0.5 + 0.4 * np.cos(y)), -1)
        images.append(inside[..., None] * colour)
        poses.append(pose)
    views = split_views(VIEWS)
    return Scene(
        name="ball",
        source="tests",
        images=Images(np.asarray(images, np.float32)),
        world_from_camera=np.asarray(poses, np.float32),
        focal=np.full((VIEWS, 2), SIZE, np.float32),
        centre=np.full((VIEWS, 2), SIZE / 2, np.float32),
        background=np.zeros(3, np.float32),
        train=views["train"],
        val=views["val"],
        test=views["test"],
    )


@pytest.fixture(scope="session")
def scene_file(ball: Scene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ball as a tiny-NeRF file, under a path with a space."""
    file = tmp_path_factory.mktemp("some scenes") / "ball.npz"
    np.savez(file, images=ball.images, poses=ball.world_from_camera, focal=ball.focal[0, 0])
    return file
