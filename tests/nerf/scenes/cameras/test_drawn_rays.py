"""Directions computed at draw against those of whole views, in numpy and in torch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from nerf.scenes import Scene
from nerf.scenes.cameras.drawn_rays import DirectionSource
from nerf.scenes.cameras.lens import Lens, lens_arrays
from nerf.scenes.cameras.pixel_rays import pixel_directions, shown_pixels, view_directions

MIXED = [Lens(), Lens(coefficients=(0.1, -0.05, 0.001, 0.002, 0.01)), Lens("fisheye", (0.02,))]


def with_lenses(scene: Scene, lenses: list[Lens]) -> Scene:
    views = len(scene.images)
    distortion, models = lens_arrays([lenses[view % len(lenses)] for view in range(views)])
    return replace(scene, distortion=distortion, lens_models=models)


@pytest.mark.parametrize("lenses", [[Lens()], MIXED])
def test_drawn_directions_are_those_of_their_pixels(ball: Scene, lenses: list[Lens]) -> None:
    scene = with_lenses(ball, lenses)
    views = [3, 1, 2]
    whole = np.stack([view_directions(scene, view) for view in views])
    view, row, column = (index.reshape(-1) for index in np.indices(whole.shape[:3]))
    source = DirectionSource.of(scene, views)
    np.testing.assert_allclose(
        source.directions(view, column, row), whole.reshape(-1, 3), atol=2e-7
    )
    tensors = source.map(torch.as_tensor)
    drawn = tensors.directions(*(torch.as_tensor(index) for index in (view, column, row)))
    np.testing.assert_allclose(drawn.numpy(), whole.reshape(-1, 3), atol=2e-7)


def test_without_a_lens_drawn_directions_are_the_same_to_the_last_bit(ball: Scene) -> None:
    whole = view_directions(ball, 0)
    row, column = (index.reshape(-1) for index in np.indices(whole.shape[:2]))
    source = DirectionSource.of(ball, [0]).map(torch.as_tensor)
    drawn = source.directions(*map(torch.as_tensor, (np.zeros_like(row), column, row))).float()
    np.testing.assert_array_equal(drawn.numpy(), whole.reshape(-1, 3))


def test_views_through_a_lens_are_accurate(ball: Scene) -> None:
    scene = with_lenses(ball, MIXED)
    columns, rows = np.arange(scene.width), np.arange(scene.height)
    for view, lens in enumerate(MIXED):
        exact = pixel_directions(
            scene.world_from_camera[view],
            scene.focal[view],
            scene.centre[view],
            columns,
            rows,
            lens,
        )
        np.testing.assert_allclose(view_directions(scene, view), exact, atol=2e-5)


def test_the_dark_corners_of_a_fisheye_are_known(ball: Scene) -> None:
    assert shown_pixels(ball, 0) is None
    rim = ball.width / 2 / float(ball.focal[0, 0])
    # theta_d = theta + k1 theta^3 is largest, 2/3 theta, at theta = (-3 k1)^-1/2.
    scene = with_lenses(ball, [Lens("fisheye", (-4 / 27 / rim**2,))])
    visible = shown_pixels(scene, 0)
    assert visible is not None
    assert visible.mean() == pytest.approx(np.pi / 4, abs=0.05)
    assert not visible[0, 0]
