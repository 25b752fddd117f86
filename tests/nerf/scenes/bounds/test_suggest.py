"""Suggested bounds against scenes whose true distances are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nerf.scenes import Bounds
from nerf.scenes.bounds.suggest import from_distances, with_bounds
from nerf.scenes.builtin import bricks
from tests.nerf.scenes.bounds.known_scenes import FOCAL, VIEWS, room, scene_of, wall


@pytest.mark.parametrize("with_alphas", [False, True])
def test_hull_bounds_hold_the_object_tightly(
    locomotive_depths: tuple[np.ndarray, np.ndarray], with_alphas: bool
) -> None:
    poses, distances = locomotive_depths
    hit = np.isfinite(distances)
    images = np.repeat(hit[..., None] * 0.5, 3, axis=-1)
    scene = scene_of(images, poses, FOCAL)
    if with_alphas:  # the same over white, where only the alphas show the object
        scene = replace(
            scene, images=replace(scene.images, alphas=hit.astype(np.float32))
        ).with_background("white")
    bounds = with_bounds(scene).bounds
    near, far = distances[hit].min(), distances[hit].max()
    assert near - 0.4 < bounds.near <= near
    # Seen by 18 cameras, none from below, the hull hangs lower than the object.
    assert far <= bounds.far < far + 1.2
    assert "hull" in bounds.basis


def test_bounds_from_matches_hold_what_the_photographs_show() -> None:
    scene, distances = wall(None)
    bounds = with_bounds(scene).bounds
    assert "matched" in bounds.basis
    assert 0.7 * distances.min() < bounds.near <= distances.min()
    assert distances.max() * 0.95 <= bounds.far < 1.6 * distances.max()


def test_nothing_to_match_gives_a_guess_that_says_so() -> None:
    images = np.full((VIEWS, 20, 20, 3), 0.5)
    bounds = with_bounds(scene_of(images, bricks.camera_poses(VIEWS), 28.0)).bounds
    assert "guess" in bounds.basis
    assert 0 < bounds.near < 4 < bounds.far


def test_percentiles_leave_out_wild_points() -> None:
    distances = np.concatenate([np.linspace(2, 6, 1000), [0.001, 900.0]])
    bounds = from_distances(distances, "points")
    assert bounds.near == pytest.approx(0.9 * 2, abs=0.1)
    assert bounds.far == pytest.approx(1.1 * 6, abs=0.1)


def test_cameras_that_look_outward_get_bounds_that_hold_the_walls() -> None:
    scene, distances = room()
    bounds = with_bounds(scene).bounds
    assert "matched" in bounds.basis
    low, high = np.percentile(distances, [1, 99])
    assert 0.3 * low < bounds.near <= low
    assert high <= bounds.far < 3 * high


def test_stated_bounds_are_widened_to_matched_points_alone() -> None:
    scene, distances = wall(None)
    wide = Bounds(0.1, 50.0, "the file")
    held = with_bounds(scene, wide)
    assert held.bounds == wide
    assert held.points is not None
    assert len(held.points) > 100
    narrow = with_bounds(scene, Bounds(3.5, 4.0, "the file")).bounds
    assert narrow.near < 3.5
    assert 5.0 < narrow.far < 1.1 * distances.max()
    assert "matched beyond" in narrow.basis
