from __future__ import annotations

import numpy as np

from nerf.scenes.cameras.pixel_rays import pixel_directions, view_directions, view_pixels
from nerf.scenes.scene import Scene
from tests.ball import look_at_origin
from tests.nerf import reference


def test_agrees_with_the_reference_after_conversion() -> None:
    height, width, focal = 5, 8, 7.0
    pose = look_at_origin(np.array([1.0, -2.0, 3.0]))
    # The reference shoots through pixel corners: moving its principal point back by half a pixel
    # gives our centres; its directions only lack the unit length.
    ours = pixel_directions(
        pose.astype(np.float32),
        np.array([focal, focal], np.float32),
        np.array([width / 2 + 0.5, height / 2 + 0.5], np.float32),
        np.arange(width),
        np.arange(height),
    )
    _, theirs = reference.get_rays(height, width, focal, pose)
    theirs /= np.linalg.norm(theirs, axis=-1, keepdims=True)
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_directions_are_unit_and_the_middle_looks_at_the_origin(ball: Scene) -> None:
    directions = view_directions(ball, 3)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=-1), 1, atol=1e-6)
    position = ball.world_from_camera[3, :3, 3]
    forward = directions.mean(axis=(0, 1))
    np.testing.assert_allclose(forward / np.linalg.norm(forward), -position / 4.4721, atol=0.01)


def test_a_coarser_grid_takes_the_same_pixels_and_their_rays(ball: Scene) -> None:
    np.testing.assert_array_equal(
        view_directions(ball, 0, stride=5), view_directions(ball, 0)[2::5, 2::5]
    )
    np.testing.assert_array_equal(view_pixels(ball, 0, stride=5), ball.images[0][2::5, 2::5])
