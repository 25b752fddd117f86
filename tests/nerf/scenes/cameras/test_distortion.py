"""Distortion and its inverse against OpenCV's published forward model."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nerf.scenes.cameras.distortion import distort, invertible, undistort
from nerf.scenes.cameras.lens import lens_of
from nerf.scenes.cameras.pixel_rays import pixel_directions, project
from nerf.scenes.images import Images
from nerf.scenes.scene import Scene
from tests.nerf.scenes.opencv_model import opencv_distort

FOX = (0.0578421, -0.0805099, -0.000980296, 0.00015575)


def smallest_growth(x: float, y: float, k1: float, k2: float, p1: float, p2: float) -> float:
    """How slowly, at worst, the distorted radius grows with the radius from the centre to (x, y).

    0 or less means that the lens folds over on the way. The tangential terms are bounded by
    their largest effect, 6 r |p| in any direction.
    """
    r = np.linspace(0, np.hypot(x, y), 100)
    growth = 1 + 3 * k1 * r**2 + 5 * k2 * r**4 - 6 * r * np.hypot(p1, p2)
    return float(growth.min())


@given(
    st.floats(-0.8, 0.8),
    st.floats(-0.8, 0.8),
    st.tuples(*[st.floats(-0.15, 0.15)] * 2, *[st.floats(-0.02, 0.02)] * 2),
)
@settings(max_examples=200)
def test_undistort_undoes_the_forward_model(
    x: float, y: float, lens: tuple[float, float, float, float]
) -> None:
    assume(smallest_growth(x, y, *lens) > 0.1)
    distorted = opencv_distort(x, y, *lens)
    point = np.array([distorted[0]]), np.array([distorted[1]])
    np.testing.assert_allclose(distort(np.array([x]), np.array([y]), np.array(lens)), [*point])
    undistorted = undistort(*point, np.array(lens))
    np.testing.assert_allclose(np.concatenate(undistorted), (x, y), atol=1e-9)
    assert invertible(*point, np.array(lens))


def test_without_distortion_nothing_moves() -> None:
    x, y = np.array([0.3, -0.2]), np.array([0.1, 5.0])
    np.testing.assert_array_equal(undistort(x, y, np.zeros(4)), [x, y])


@pytest.mark.parametrize("lens", [(-0.6, 0, 0, 0), (0, -0.6, 0, 0), (0.5, -0.9, 0, 0)])
def test_folding_lenses_are_not_invertible(lens: tuple[float, ...]) -> None:
    rim = np.linspace(-1.2, 1.2, 9)
    assert not invertible(*np.meshgrid(rim, rim), np.array(lens)).all()


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
        images=Images(np.zeros((1, 20, 30, 3), np.float32)),
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
    camera = pose, scene.focal[0], scene.centre[0]
    rays = pixel_directions(*camera, columns, rows, lens_of(scene, 0))
    column, row, depth = project(scene, 0, pose[:3, 3] + 7 * rays.astype(np.float64))
    np.testing.assert_allclose(column, np.tile(columns + 0.5, (20, 1)), atol=1e-4)
    np.testing.assert_allclose(row, np.tile(rows[:, None] + 0.5, (1, 30)), atol=1e-4)
    assert (depth > 0).all()
    if lens:
        u, v = ((columns[-1] + 0.5 - 14) / 25, (rows[0] + 0.5 - 11) / 24)
        in_camera = pose[:3, :3].T @ rays[0, -1]
        ideal = in_camera[0] / -in_camera[2], in_camera[1] / in_camera[2]
        np.testing.assert_allclose(opencv_distort(*ideal, *lens), (u, v), atol=1e-6)
