"""Backdrops and content windows of images whose backdrop and object are known."""

from __future__ import annotations

import numpy as np
import pytest

from nerf.scenes.backdrop import backdrop_colour, content_windows, find_backdrop
from nerf.scenes.images import Float32, Images
from nerf.scenes.scene import Scene

HEIGHT, WIDTH = 40, 60
BOX = (5, 40, 20, 15)  # top, left, height, width of the object, far from the centre


def paint(colour: tuple[float, float, float], rng: np.random.Generator, noise: float) -> Float32:
    """Three views of a textured box before a sheet of one colour, with noise on the sheet."""
    images = np.empty((3, HEIGHT, WIDTH, 3), np.float32)
    images[:] = colour
    images += rng.uniform(-noise, noise, images.shape)
    top, left, height, width = BOX
    images[:, top : top + height, left : left + width] = rng.uniform(0, 1, (3, height, width, 3))
    return images.clip(0, 1)


def make_scene(images: Float32, alphas: Float32 | None = None) -> Scene:
    views = len(images)
    return Scene(
        name="box",
        source="box",
        images=Images(images, alphas),
        world_from_camera=np.tile(np.eye(4, dtype=np.float32), (views, 1, 1)),
        focal=np.ones((views, 2), np.float32),
        centre=np.ones((views, 2), np.float32),
        background=np.zeros(3, np.float32),
        train=tuple(range(views)),
        val=(),
        test=(),
    )


@pytest.mark.parametrize("colour", [(0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.2, 0.7, 0.31)])
@pytest.mark.parametrize("noise", [0.0, 0.015])
def test_a_sheet_of_any_colour_is_the_backdrop(
    colour: tuple[float, float, float], noise: float
) -> None:
    images = paint(colour, np.random.default_rng(0), noise)
    backdrop = find_backdrop(Images(images))
    assert backdrop is not None
    assert backdrop.colour == pytest.approx(colour, abs=0.012 if noise else 1e-6)
    outside = np.ones((HEIGHT, WIDTH), bool)
    outside[BOX[0] : BOX[0] + BOX[2], BOX[1] : BOX[1] + BOX[3]] = False
    mask = np.stack([Images(images).matches(view, backdrop.is_shown) for view in range(3)])
    assert mask[:, outside].mean() > 0.98
    assert mask[:, ~outside].mean() < 0.02
    windows = content_windows(make_scene(images), [0, 2])
    assert np.abs(windows - BOX).max() <= 1


def test_black_around_a_model_is_exactly_black_also_with_dark_parts() -> None:
    images = paint((0, 0, 0), np.random.default_rng(1), 0.0)
    images[:, :3] = 0.03  # a dark part in the same cell of the histogram
    assert (backdrop_colour(Images(images)) == 0).all()


def test_a_photograph_filled_to_its_edges_has_no_backdrop_and_is_not_cropped() -> None:
    images = np.random.default_rng(2).uniform(0, 1, (3, HEIGHT, WIDTH, 3)).astype(np.float32)
    assert find_backdrop(Images(images)) is None
    assert (backdrop_colour(Images(images)) == 0).all()
    assert content_windows(make_scene(images), [1]).tolist() == [[0, 0, HEIGHT, WIDTH]]


@pytest.mark.parametrize("part", [np.s_[:, :18], np.s_[:, 8:32, 10:50]], ids=["sky", "wall"])
def test_a_colour_that_does_not_surround_the_rest_is_no_backdrop(
    part: tuple[slice, ...],
) -> None:
    images = np.random.default_rng(5).uniform(0, 1, (3, HEIGHT, WIDTH, 3)).astype(np.float32)
    images[part] = 1
    assert (images == 1).all(-1).mean() > 0.3
    assert find_backdrop(Images(images)) is None


def test_alphas_tell_the_content_where_colours_do_not() -> None:
    rng = np.random.default_rng(3)
    images = rng.uniform(0, 1, (3, HEIGHT, WIDTH, 3)).astype(np.float32)
    alphas = np.zeros((3, HEIGHT, WIDTH), np.float32)
    alphas[:, BOX[0] : BOX[0] + BOX[2], BOX[1] : BOX[1] + BOX[3]] = 1
    assert np.abs(content_windows(make_scene(images, alphas), [0]) - BOX).max() <= 1
    opaque = make_scene(images, np.ones_like(alphas))
    assert content_windows(opaque, [0]).tolist() == [[0, 0, HEIGHT, WIDTH]]


def test_dust_does_not_widen_the_window_and_an_empty_view_is_not_cropped() -> None:
    images = paint((1, 1, 1), np.random.default_rng(4), 0.0)
    images[0, HEIGHT - 1, 0] = 0
    images[1] = 1
    windows = content_windows(make_scene(images), [0, 1])
    assert np.abs(windows[0] - BOX).max() <= 1
    assert windows[1].tolist() == [0, 0, HEIGHT, WIDTH]
