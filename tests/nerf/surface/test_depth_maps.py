from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from nerf.scenes.cameras.pixel_rays import project as project_to_view
from nerf.scenes.scene import Scene
from nerf.surface.depth_maps import camera_of, depth_map, depth_maps
from nerf.surface.fusion import project
from tests.nerf.surface.analytic_ball import ball_model


def test_points_lie_on_the_surface_and_have_its_colour(ball: Scene) -> None:
    seen = depth_map(ball_model(), camera_of(ball, 0, 10**6))
    points, rgb = seen.points[seen.hit], seen.rgb[seen.hit]
    assert seen.depth.shape == (ball.height, ball.width)
    assert 0.1 < seen.hit.float().mean() < 0.3  # a disc of radius 1 in a picture 4 units wide
    radius = points.norm(dim=-1)
    # Rays that graze the ball are stopped somewhere within it.
    assert radius.median().item() == pytest.approx(1, abs=0.01)
    assert radius.max() < 1.01
    torch.testing.assert_close(rgb, (0.5 + 0.4 * points).clamp(0, 1), atol=0.02, rtol=0)


def test_the_camera_projects_as_the_scene_does(ball: Scene) -> None:
    points = torch.tensor([[0.1, -0.2, 0.3], [0.0, 0.5, -0.4]])
    column, row, ahead = project(camera_of(ball, 3, 10**6), points)
    expected = project_to_view(ball, 3, points.numpy())
    for ours, theirs in zip((column, row, ahead), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_fewer_pixels_keep_the_field_of_view(ball: Scene) -> None:
    whole, small = camera_of(ball, 0, 10**6), camera_of(ball, 0, 144)
    assert (small.height, small.width) == (12, 12)
    point = torch.tensor([[0.3, 0.2, 0.1]])
    for ours, theirs in zip(project(small, point)[:2], project(whole, point)[:2], strict=True):
        torch.testing.assert_close(ours, theirs / 2)


def test_padding_is_not_rendered(ball: Scene) -> None:
    valid = np.ones(ball.images.shape[:3], bool)
    valid[0, :, :4], valid[0, 18:] = False, False
    padded = replace(ball, images=replace(ball.images, valid=valid))
    camera = camera_of(padded, 0, 10**6)
    assert (camera.height, camera.width) == (18, ball.width - 4)
    points = torch.tensor([[0.1, -0.2, 0.3], [0.0, 0.5, -0.4]])
    column, row, _ = project(camera, points)
    expected = project_to_view(ball, 0, points.numpy())
    np.testing.assert_allclose(column + 4, expected[0], rtol=1e-5)
    np.testing.assert_allclose(row, expected[1], rtol=1e-5)


def test_an_empty_field_hits_nothing(ball: Scene) -> None:
    model = ball_model(16)
    model.coarse.density_activation = torch.zeros_like
    for each in depth_maps(model, ball, [0, 1], 100):
        assert not each.hit.any()
        assert each.points.isfinite().all()
