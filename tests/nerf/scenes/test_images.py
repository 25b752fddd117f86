"""Pixels kept as bytes give the colours that floats would."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import torch

from nerf.scenes.images import UNIT_VALUES, Float32, Images, to_unit
from nerf.scenes.scene import Scene

DRAW = np.random.default_rng(0)
RGBA = DRAW.integers(0, 256, (3, 5, 4, 4), np.uint8)
WHITE = np.ones(3, np.float32)


def straight() -> Images:
    return Images(RGBA[..., :3], RGBA[..., 3], premultiplied=False)


def test_every_byte_has_one_value_in_arrays_and_tensors() -> None:
    every = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_unit(every), UNIT_VALUES)
    np.testing.assert_array_equal(to_unit(every), every.astype(np.float32) / 255)


def test_an_image_is_composited_as_floats_would_be() -> None:
    rgba = RGBA.astype(np.float32) / 255
    rgb, alpha = rgba[..., :3] * rgba[..., 3:], rgba[..., 3:]
    over_white = (rgb + (1 - alpha) * WHITE).clip(0, 1)
    images = straight().over(WHITE)
    np.testing.assert_array_equal(images, over_white)
    np.testing.assert_array_equal(images[1, 2:, 1], over_white[1, 2:, 1])
    grey = np.full(3, 0.5, np.float32)
    replaced = (over_white + (1 - alpha) * (grey - WHITE)).clip(0, 1)
    np.testing.assert_array_equal(images.over(grey)[:], replaced)


def test_tensors_give_the_bits_of_arrays() -> None:
    images = straight().over(WHITE)
    values = torch.tensor(UNIT_VALUES)
    colours, alphas = (values[torch.tensor(RGBA[..., part]).long()] for part in (np.s_[:3], 3))
    composited = images.composite(colours, alphas, (torch.tensor(WHITE),))
    np.testing.assert_array_equal(composited.numpy(), images[:])


def test_bytes_match_a_test_where_their_values_do() -> None:
    images = Images(RGBA[..., :3])

    def bright_red(colours: Float32) -> np.ndarray:
        return colours > np.array([0.5, 0.1, 0.1], np.float32)

    expected = bright_red(images[1]).all(-1)
    np.testing.assert_array_equal(images.matches(1, bright_red), expected)
    as_floats = Images(images[:])
    np.testing.assert_array_equal(as_floats.matches(1, bright_red), expected)


def test_what_is_computed_once_travels_with_a_scene_and_not_to_its_variants(ball: Scene) -> None:
    scene = dataclasses.replace(ball)
    assert scene.once("sum", lambda: 3) == 3
    arrived = pickle.loads(pickle.dumps(scene))
    assert arrived.once("sum", lambda: 4) == 3
    assert dataclasses.replace(scene, name="other").once("sum", lambda: 4) == 4
