from __future__ import annotations

import numpy as np
import torch

from nerf.cameras import view_directions
from nerf.dataset import TrainingRays
from nerf.scenes.scene import Scene


def test_each_drawn_ray_carries_its_own_pixel_s_colour_and_camera(ball: Scene) -> None:
    origins, directions, rgb = TrainingRays.of(ball).draw(300, torch.Generator().manual_seed(0))
    known = {
        (*ball.world_from_camera[view, :3, 3], *direction): colour
        for view in ball.train
        for direction, colour in zip(
            view_directions(ball, view).reshape(-1, 3),
            ball.images[view].reshape(-1, 3),
            strict=True,
        )
    }
    for origin, direction, colour in zip(
        origins.numpy(), directions.numpy(), rgb.numpy(), strict=True
    ):
        np.testing.assert_array_equal(known[(*origin, *direction)], colour)


def test_held_out_views_are_never_drawn(ball: Scene) -> None:
    rays = TrainingRays.of(ball)
    drawn = {
        tuple(origin) for origin in rays.draw(5000, torch.Generator().manual_seed(1))[0].tolist()
    }
    positions = ball.world_from_camera[:, :3, 3]
    assert drawn == {tuple(positions[view].tolist()) for view in ball.train}


def test_cropped_draws_stay_in_the_middle_half(ball: Scene) -> None:
    rays = TrainingRays.of(ball)
    pixels = rays._pixels(5000, torch.Generator().manual_seed(2), cropped=True)
    row, column = pixels % (24 * 24) // 24, pixels % 24
    for place in (row, column):
        assert place.min() == 6
        assert place.max() == 17
