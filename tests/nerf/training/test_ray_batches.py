from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from nerf.common.errors import InputError
from nerf.config.schema import Optimisation
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
    half = np.full(ball.images.shape[:3], 0.5, np.float32)
    return dataclasses.replace(ball, images=dataclasses.replace(ball.images, alphas=half))


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
    over_white, over_black = (
        TrainingRays.of(see_through, Optimisation(background=behind)).draw(
            2000, torch.Generator().manual_seed(0)
        )
        for behind in ("white", "scene")
    )
    torch.testing.assert_close(over_white.rgb, (over_black.rgb + 0.5).clamp(max=1))
    assert (over_white.background == 1).all()


def test_photographs_stay_as_they_are_over_another_background(ball: Scene) -> None:
    behind_white, behind_black = (
        TrainingRays.of(ball, Optimisation(background=behind)).draw(
            500, torch.Generator().manual_seed(0)
        )
        for behind in ("white", "scene")
    )
    torch.testing.assert_close(behind_white.rgb, behind_black.rgb, rtol=0, atol=0)
    assert (behind_white.background == 1).all()
    with pytest.raises(InputError, match="no alpha channel"):
        TrainingRays.of(ball, Optimisation(background="random"))


@pytest.mark.parametrize(
    "config", [Optimisation(crop_steps=0), Optimisation(crop="centre", views=5)]
)
def test_valid_pixels_are_drawn_evenly_and_no_others(ball: Scene, config: Optimisation) -> None:
    valid = np.random.default_rng(0).random(ball.images.shape[:3]) < 0.7
    valid[ball.train[0]] = False
    masked = dataclasses.replace(ball, images=dataclasses.replace(ball.images, valid=valid))
    rays = TrainingRays.of(masked, config)
    views = spread_views(ball, config.views)
    for cropped in (False, True):
        pixels = rays.draw_pixels(200_000, torch.Generator().manual_seed(0), cropped=cropped)
        drawn = torch.bincount(pixels, minlength=len(rays.pixels)).reshape(-1, 24, 24).numpy()
        possible = valid[views]
        if cropped and config.crop == "centre":
            possible = possible & np.pad(np.ones((12, 12), bool), 6)
        assert (drawn[~possible] == 0).all()
        mean = 200_000 / possible.sum()
        assert np.abs(drawn[possible] - mean).max() < 7 * mean**0.5


def test_masks_that_leave_nothing_are_refused(ball: Scene) -> None:
    nothing = dataclasses.replace(ball.images, valid=np.zeros(ball.images.shape[:3], bool))
    with pytest.raises(InputError, match="leave no pixel of 9 training views"):
        TrainingRays.of(dataclasses.replace(ball, images=nothing))


def test_no_more_than_a_third_of_a_short_run_is_cropped() -> None:
    assert cropped_steps(Optimisation(crop_steps=100, steps=1000)) == 100
    assert cropped_steps(Optimisation(crop_steps=100, steps=60)) == 20
    assert cropped_steps(Optimisation(crop_steps=0, steps=60)) == 0
    assert cropped_steps(Optimisation(crop="centre", crop_steps=50, steps=60)) == 50
