"""Scenes whose true distances are known: any images with given cameras, and a patterned wall."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nerf.scenes import Scene, split_views
from nerf.scenes.cameras.pixel_rays import view_directions
from nerf.scenes.images import Images

VIEWS, SIZE = 24, 60
FOCAL = 1.38888889 * SIZE


def scene_of(images: np.ndarray, poses: np.ndarray, focal: float) -> Scene:
    """A scene of images (views, height, width, 3) on black with one focal length in pixels."""
    views, height, width = images.shape[:3]
    split = split_views(views)
    return Scene(
        name="known",
        source="tests",
        images=Images(images.astype(np.float32)),
        world_from_camera=poses.astype(np.float32),
        focal=np.full((views, 2), focal, np.float32),
        centre=np.tile(np.array([width / 2, height / 2], np.float32), (views, 1)),
        background=np.zeros(3, np.float32),
        train=split["train"],
        val=split["val"],
        test=split["test"],
    )


def wall(lens: tuple[float, ...] | None) -> tuple[Scene, np.ndarray]:
    """A patterned plane at z = 0 seen from 3 to 5 units above it, and each pixel's distance."""
    draw = np.random.default_rng(4)
    views, height, width = 16, 60, 80
    poses = np.tile(np.eye(4, dtype=np.float32), (views, 1, 1))
    poses[:, :2, 3] = draw.uniform(-0.8, 0.8, (views, 2))
    poses[:, 2, 3] = draw.uniform(3, 5, views)
    scene = scene_of(np.zeros((views, height, width, 3)), poses, 70.0)
    if lens:
        scene = replace(scene, distortion=np.tile(np.array(lens, np.float32), (views, 1)))
    waves, phases = draw.normal(size=(40, 2)) * 8, draw.uniform(0, 6, 40)
    images, distances = [], []
    for view in range(views):
        directions = view_directions(scene, view).astype(np.float64)
        distance = poses[view, 2, 3] / -directions[..., 2]
        ground = poses[view, :2, 3] + distance[..., None] * directions[..., :2]
        pattern = np.sin(ground @ waves.T + phases).sum(-1)
        images.append(np.repeat(0.5 + 0.5 * np.tanh(pattern / 4)[..., None], 3, -1))
        distances.append(distance)
    return replace(scene, images=Images(np.asarray(images, np.float32))), np.stack(distances)


def room() -> tuple[Scene, np.ndarray]:
    """A round room with patterned walls 9 times as far away as its outward cameras are apart."""
    draw = np.random.default_rng(5)
    views, height, width, radius = 24, 60, 80, 40.0
    poses = np.tile(np.eye(4, dtype=np.float32), (views, 1, 1))
    for pose, angle in zip(poses, np.arange(views) * 2 * np.pi / views, strict=True):
        outward = np.array([np.cos(angle), np.sin(angle), 0])
        up = np.array([0.0, 0, 1])
        pose[:3, :3] = np.stack((np.cross(outward, up), up, -outward), axis=-1)
        pose[:3, 3] = 4 * outward + 0.5 * up * np.sin(5 * angle)
    scene = scene_of(np.zeros((views, height, width, 3)), poses, 90.0)
    waves, phases = draw.normal(size=(40, 3)) * 1.0, draw.uniform(0, 6, 40)
    images, distances = [], []
    for view in range(views):
        directions = view_directions(scene, view).astype(np.float64)
        eye = poses[view, :3, 3].astype(np.float64)
        # |eye + t d| = radius, across the z axis.
        a = (directions[..., :2] ** 2).sum(-1)
        b = directions[..., :2] @ eye[:2]
        distance = (-b + np.sqrt(b * b - a * (eye[:2] @ eye[:2] - radius**2))) / a
        pattern = np.sin((eye + distance[..., None] * directions) @ waves.T + phases).sum(-1)
        images.append(np.repeat(0.5 + 0.5 * np.tanh(pattern / 4)[..., None], 3, -1))
        distances.append(distance)
    return replace(scene, images=Images(np.asarray(images, np.float32))), np.stack(distances)
