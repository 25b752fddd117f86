from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from nerf.common.errors import InputError
from nerf.config.schema import Optimisation, TrainingBackground
from nerf.scenes.cameras.pixel_rays import view_directions
from nerf.scenes.scene import Scene
from nerf.training.ray_batches import TrainingRays, spread_views
from nerf.training.schedule import cropped_steps


def test_each_drawn_ray_carries_its_own_pixel_s_colour_and_camera(ball: Scene) -> None:
    batch = TrainingRays.of(ball).draw(300, torch.Generator().manual_seed(0))
    drawn = (batch.origins.numpy(), batch.directions.numpy(), batch.rgb.numpy())
    known = {
        (*ball.world_from_camera[view, :3, 3], *direction): colour
        for view in ball.train
        for direction, colour in zip(
            view_directions(ball, view).reshape(-1, 3),
            ball.images[view].reshape(-1, 3),
            strict=True,
        )
    }
    for origin, direction, colour in zip(*drawn, strict=True):
        np.testing.assert_array_equal(known[(*origin, *direction)], colour)


def test_held_out_views_are_never_drawn(ball: Scene) -> None:
    rays = TrainingRays.of(ball)
    drawn = {
        tuple(origin)
        for origin in rays.draw(5000, torch.Generator().manual_seed(1)).origins.tolist()
    }
    positions = ball.world_from_camera[:, :3, 3]
    assert drawn == {tuple(positions[view].tolist()) for view in ball.train}


def test_fewer_views_are_spread_evenly_and_each_is_taken_once(ball: Scene) -> None:
    available = len(ball.train)
    assert spread_views(ball, 0) == list(ball.train)
    for count in range(1, available + 1):
        places = [ball.train.index(view) for view in spread_views(ball, count)]
        gaps = np.diff([*places, available])
        assert len(places) == count
        assert gaps.min() >= available // count
        assert gaps.max() <= -(-available // count)


def test_rays_come_only_from_the_selected_views(ball: Scene) -> None:
    rays = TrainingRays.of(ball, Optimisation(views=3))
    drawn = rays.draw(2000, torch.Generator().manual_seed(0)).origins.tolist()
    positions = ball.world_from_camera[spread_views(ball, 3), :3, 3].tolist()
    assert {tuple(origin) for origin in drawn} == {tuple(origin) for origin in positions}


def test_more_views_than_there_are_is_refused(ball: Scene) -> None:
    with pytest.raises(InputError, match=r"views=99, but ball has \d+ training views; lower it"):
        TrainingRays.of(ball, Optimisation(views=99))


def test_draws_cropped_to_the_centre_stay_in_the_middle_half(ball: Scene) -> None:
    rays = TrainingRays.of(ball, Optimisation(crop="centre"))
    pixels = rays.draw_pixels(5000, torch.Generator().manual_seed(2), cropped=True)
    row, column = pixels % (24 * 24) // 24, pixels % 24
    for place in (row, column):
        assert place.min() == 6
        assert place.max() == 17


def test_draws_cropped_to_the_content_come_evenly_from_the_box_of_each_view(ball: Scene) -> None:
    rays = TrainingRays.of(ball, Optimisation(crop="content", crop_steps=10))
    assert (rays.windows[:, 2:] < 24).all()
    pixels = rays.draw_pixels(20_000, torch.Generator().manual_seed(2), cropped=True)
    for number in range(len(ball.train)):
        of_view = pixels[pixels // (24 * 24) == number] % (24 * 24)
        top, left, height, width = rays.windows[number].tolist()
        row, column = of_view // 24, of_view % 24
        for place, first, size in ((row, top, height), (column, left, width)):
            counts = torch.bincount(place - first, minlength=size)
            assert place.min() == first
            assert len(counts) == size
            assert counts.min() > 0.3 * counts.float().mean()


@pytest.fixture
def see_through(ball: Scene) -> Scene:
    """The ball with alphas: half of every pixel is background."""
    return dataclasses.replace(ball, alphas=np.full(ball.images.shape[:3], 0.5, np.float32))


def test_a_random_background_shows_through_each_pixel_by_its_alpha(see_through: Scene) -> None:
    plain, random = (
        TrainingRays.of(see_through, Optimisation(background=behind))
        for behind in ("scene", "random")
    )
    drawn = random.draw(2000, torch.Generator().manual_seed(0))
    same = plain.draw(2000, torch.Generator().manual_seed(0))
    torch.testing.assert_close(drawn.rgb, same.rgb + 0.5 * drawn.background)
    assert drawn.background.shape == (2000, 3)
    torch.testing.assert_close(drawn.background.mean(0), torch.full((3,), 0.5), atol=0.03, rtol=0)


def test_a_white_background_is_composited_once(see_through: Scene) -> None:
    rays = TrainingRays.of(see_through, Optimisation(background="white"))
    expected = (TrainingRays.of(see_through).rgb + 0.5).clamp(max=1)
    torch.testing.assert_close(rays.rgb, expected)
    assert (rays.pixels.background == 1).all()


@pytest.mark.parametrize("behind", ["white", "random"])
def test_another_background_needs_alphas(ball: Scene, behind: TrainingBackground) -> None:
    with pytest.raises(InputError, match="no alpha channel"):
        TrainingRays.of(ball, Optimisation(background=behind))


def test_no_more_than_a_third_of_a_short_run_is_cropped() -> None:
    assert cropped_steps(Optimisation(crop_steps=100, steps=1000)) == 100
    assert cropped_steps(Optimisation(crop_steps=100, steps=60)) == 20
    assert cropped_steps(Optimisation(crop_steps=0, steps=60)) == 0
    assert cropped_steps(Optimisation(crop="centre", crop_steps=50, steps=60)) == 50
