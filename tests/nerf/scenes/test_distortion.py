"""Undistortion against OpenCV's published forward model, written out for one point at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nerf.scenes.cameras.distortion import distort, invertible, undistort
from nerf.scenes.cameras.pixel_rays import pixel_directions, project
from nerf.scenes.scene import Scene

FOX = (0.0578421, -0.0805099, -0.000980296, 0.00015575)


def opencv(x: float, y: float, k1: float, k2: float, p1: float, p2: float) -> tuple[float, float]:
    """As OpenCV's documentation of projectPoints prints it."""
    r = math.hypot(x, y)
    factor = 1 + k1 * r**2 + k2 * r**4
    return (
        x * factor + 2 * p1 * x * y + p2 * (r**2 + 2 * x**2),
        y * factor + p1 * (r**2 + 2 * y**2) + 2 * p2 * x * y,
    )


@given(
    st.floats(-0.8, 0.8),
    st.floats(-0.8, 0.8),
    st.tuples(*[st.floats(-0.15, 0.15)] * 2, *[st.floats(-0.02, 0.02)] * 2),
)
@settings(max_examples=200, deadline=None)
def test_undistort_undoes_the_forward_model(
    x: float, y: float, lens: tuple[float, float, float, float]
) -> None:
    shown = opencv(x, y, *lens)
    at = np.array([shown[0]]), np.array([shown[1]])
    np.testing.assert_allclose(distort(np.array([x]), np.array([y]), np.array(lens)), [*at])
    found = undistort(*at, np.array(lens))
    np.testing.assert_allclose(np.concatenate(found), (x, y), atol=1e-9)
    assert invertible(*at, np.array(lens))


def test_without_distortion_nothing_moves() -> None:
    x, y = np.array([0.3, -0.2]), np.array([0.1, 5.0])
    np.testing.assert_array_equal(undistort(x, y, np.zeros(4)), [x, y])


@pytest.mark.parametrize("lens", [(-0.6, 0, 0, 0), (0, -0.6, 0, 0), (0.5, -0.9, 0, 0)])
def test_folding_lenses_are_told(lens: tuple[float, ...]) -> None:
    rim = np.linspace(-1.2, 1.2, 9)
    assert not invertible(*np.meshgrid(rim, rim), np.array(lens))


@pytest.mark.parametrize("lens", [None, FOX])
def test_project_undoes_pixel_directions(lens: tuple[float, ...] | None) -> None:
    draw = np.random.default_rng(3)
    pose = np.eye(4, dtype=np.float32)
    pose[:3, :3] = np.linalg.qr(draw.normal(size=(3, 3)))[0]
    pose[:3, :3] *= np.linalg.det(pose[:3, :3])
    pose[:3, 3] = draw.normal(size=3)
    scene = Scene(
        name="one",
        source="tests",
        images=np.zeros((1, 20, 30, 3), np.float32),
        world_from_camera=pose[None],
        focal=np.array([[25.0, 24.0]], np.float32),
        centre=np.array([[14.0, 11.0]], np.float32),
        background=np.zeros(3, np.float32),
        train=(0,),
        val=(),
        test=(),
        distortion=None if lens is None else np.array([lens], np.float32),
    )
    columns, rows = np.arange(30), np.arange(20)
    shift = None if scene.distortion is None else scene.distortion[0]
    rays = pixel_directions(pose, scene.focal[0], scene.centre[0], columns, rows, shift)
    column, row, depth = project(scene, 0, pose[:3, 3] + 7 * rays.astype(np.float64))
    np.testing.assert_allclose(column, np.tile(columns + 0.5, (20, 1)), atol=1e-4)
    np.testing.assert_allclose(row, np.tile(rows[:, None] + 0.5, (1, 30)), atol=1e-4)
    assert (depth > 0).all()
    if lens:
        u, v = ((columns[-1] + 0.5 - 14) / 25, (rows[0] + 0.5 - 11) / 24)
        seen = pose[:3, :3].T @ rays[0, -1]
        shown = opencv(seen[0] / -seen[2], seen[1] / seen[2], *lens)
        np.testing.assert_allclose(shown, (u, v), atol=1e-6)
