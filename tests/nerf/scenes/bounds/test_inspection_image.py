from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nerf.scenes import Bounds, Scene, load
from nerf.scenes.bounds.inspection_image import _STRIP_TOP, draw_inspection, frustum_corners
from nerf.scenes.cameras.pixel_rays import project
from tests.nerf.scenes import scene_writers

NEAR, FAR = (235, 120, 10), (130, 60, 200)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return load(str(scene_writers.write_colmap(tmp_path / "scene")))


def column_of(image: np.ndarray, colour: tuple[int, int, int]) -> float:
    """The column of the vertical line of that colour in the lower panel."""
    strip = image[_STRIP_TOP + 20 : _STRIP_TOP + 180]
    share = (strip == colour).all(-1).mean(0)
    assert share.max() > 0.95
    return float(np.mean(np.flatnonzero(share > 0.95)))


def test_bounds_are_drawn_where_they_are(scene: Scene) -> None:
    columns = []
    for bounds in (Bounds(1.0, 8.0, "x"), Bounds(2.0, 8.0, "x"), Bounds(4.0, 8.0, "x")):
        image = draw_inspection(replace(scene, bounds=bounds))
        assert image.dtype == np.uint8
        columns.append((column_of(image, NEAR), column_of(image, FAR)))
    near, far = np.array(columns).T
    assert np.ptp(far) == 0
    np.testing.assert_allclose(near[1:] - 24, (near[0] - 24) * np.array([2, 4]), atol=3)
    np.testing.assert_allclose(far - 24, (near[0] - 24) * 8, atol=8)


def test_the_share_between_the_bounds_is_written(scene: Scene) -> None:
    """The text above the panels changes only with a bound that cuts off points."""
    header = np.s_[46:68, 400:]
    wide, wider, cut = (
        draw_inspection(replace(scene, bounds=Bounds(*bounds, "x")))[header]
        for bounds in ((0.5, 9.0), (0.6, 9.5), (0.5, 4.0))
    )
    np.testing.assert_array_equal(wide, wider)
    assert (wide != cut).any()


def test_points_leave_dark_marks_at_their_distance(scene: Scene) -> None:
    scene = replace(scene, bounds=Bounds(0.5, 8.0, "x"), points=np.zeros((5, 3), np.float32))
    image = draw_inspection(scene)
    end = 1.1 * 8.0
    strip = image[_STRIP_TOP + 20 : _STRIP_TOP + 180, 24:-24].min(-1)
    dark = np.flatnonzero((strip < 120).mean(0) > 0.2) / strip.shape[1] * end
    distances = np.linalg.norm(scene.world_from_camera[:, :3, 3], axis=1)
    assert len(dark)
    assert np.abs(dark - distances.mean()).min() < 0.1


def test_frustum_corners_are_the_image_corners_at_the_bounds(scene: Scene) -> None:
    for view in (0, 5):
        corners = frustum_corners(scene, view)
        distances = np.linalg.norm(corners - scene.world_from_camera[view, :3, 3], axis=-1)
        np.testing.assert_allclose(distances[0], scene.bounds.near, rtol=1e-5)
        np.testing.assert_allclose(distances[1], scene.bounds.far, rtol=1e-5)
        columns, rows, _ = project(scene, view, corners.reshape(-1, 3))
        right, low = scene_writers.WIDTH - 0.5, scene_writers.HEIGHT - 0.5
        np.testing.assert_allclose(columns, [0.5, right, right, 0.5] * 2, atol=1e-3)
        np.testing.assert_allclose(rows, [0.5, 0.5, low, low] * 2, atol=1e-3)


def test_a_scene_without_points_is_drawn_too(scene: Scene) -> None:
    assert draw_inspection(replace(scene, points=None)).shape == draw_inspection(scene).shape
