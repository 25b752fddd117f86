"""The courtyard: cameras that look outward, among solids at known distances."""

from __future__ import annotations

import numpy as np
import pytest

from nerf.scenes.backdrop import find_backdrop
from nerf.scenes.builtin import courtyard
from nerf.scenes.builtin.courtyard import (
    build_courtyard,
    load_courtyard,
    outward_poses,
    paint_sky,
)
from nerf.scenes.builtin.raytrace import LitModel, camera_rays, first_hits


def test_cameras_look_away_from_the_middle_and_stand_upright() -> None:
    poses = outward_poses(24)
    eye, forward = poses[:, :3, 3], -poses[:, :3, 2]
    outward = eye[:, :2] / np.linalg.norm(eye[:, :2], axis=-1, keepdims=True)
    assert ((forward[:, :2] * outward).sum(-1) > 0.9).all()
    assert (poses[:, 2, 1] > 0.9).all()
    np.testing.assert_allclose(np.linalg.det(poses[:, :3, :3]), 1, atol=1e-6)


def test_all_that_the_cameras_see_lies_within_the_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = _load_small(monkeypatch)
    model = LitModel(build_courtyard(), [], 1)
    for pose in outward_poses(9):
        distance, solid_index = first_hits(model, camera_rays(pose, 35.0, 50))
        hit = distance[solid_index >= 0]
        assert scene.bounds.near < hit.min() < hit.max() < scene.bounds.far
        assert 0.4 < len(hit) / distance.size < 0.95  # the rest is sky


def test_images_are_filled_to_their_edges_and_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = _load_small(monkeypatch)
    assert scene.images.alphas is None
    assert find_backdrop(scene.images) is None
    assert (scene.background == 0).all()
    assert np.asarray(scene.images).min() >= 0
    assert np.asarray(scene.images).max() <= 1
    assert _load_small(monkeypatch).content_hash == scene.content_hash


def test_the_sky_is_bluer_above() -> None:
    horizon, zenith = paint_sky(np.array([[1.0, 0, 0], [0, 0, 1.0]], np.float32))
    assert zenith[2] - zenith[0] > horizon[2] - horizon[0] > 0


def _load_small(monkeypatch: pytest.MonkeyPatch) -> courtyard.Scene:
    monkeypatch.setattr(courtyard, "_SHADOW_SIZE", 64)  # shadow maps take most of the time
    return load_courtyard(views=8, size=24, samples=1)
