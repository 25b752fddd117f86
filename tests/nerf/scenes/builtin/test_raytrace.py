"""The ray tracer against point-by-point marching, and its light against cases known in full."""

from __future__ import annotations

import numpy as np
import pytest

from nerf.scenes.builtin.raytrace import (
    Light,
    LitModel,
    Rays,
    Solid,
    camera_rays,
    first_hits,
    parallel_rays,
    render_view,
)
from tests.nerf.scenes.builtin.ray_marching import contains, march, random_solids

WHITE = (1.0, 1.0, 1.0)
FRONT = np.array([[1, 0, 0, 0], [0, 0, -1, -4], [0, 1, 0, 0], [0, 0, 0, 1]], np.float32)
"""A camera at y = -4 that looks along +y, z up."""


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["camera", "parallel"])
def test_first_hits_agree_with_marching(seed: int, kind: str) -> None:
    solids = random_solids(seed, 8)
    rays: Rays = (
        camera_rays(FRONT, 24.0, 24)
        if kind == "camera"
        else parallel_rays((0.36, -0.48, 0.8), 2.0, 24)
    )
    distance, solid_index = first_hits(LitModel(solids, [], 1), rays)
    for row in range(0, 24, 2):
        for column in range(1, 24, 2):
            ray = rays.origins[:, row, column], rays.directions[:, row, column]
            slow = march(solids, *ray)
            # A graze thinner than a step may be seen by one and not by the other.
            if np.isfinite(slow) and np.isfinite(distance[row, column]):
                point = ray[0] + (distance[row, column] + 1e-3) * ray[1]
                grazing = not contains(solids[solid_index[row, column]], point)
                assert grazing or distance[row, column] == pytest.approx(slow, abs=2e-3)
            else:
                assert np.isinf(slow) or not np.isinf(distance[row, column])
    assert np.isfinite(distance).mean() > 0.05


def test_rays_are_unit_and_pass_through_pixel_centres() -> None:
    rays = camera_rays(FRONT, 50.0, 8)
    np.testing.assert_allclose((rays.directions**2).sum(0), 1, rtol=1e-6)
    points = rays.origins + 3 * rays.directions
    column, row = rays.project(points)
    np.testing.assert_allclose(column, np.arange(8)[None, :] + 0.5 + 0 * row, atol=1e-4)
    np.testing.assert_allclose(row, np.arange(8)[:, None] + 0.5 + 0 * row, atol=1e-4)
    assert column[0, -1] > column[0, 0]
    assert points[2, 0, 0] > points[2, -1, 0]  # the first row is the upper one


def test_coverage_is_the_covered_share_of_a_pixel() -> None:
    """A wall that ends a quarter through a pixel covers a quarter of it."""
    wall = Solid((-1.0 + 0.0625, 0.0, 0.0), (1.0, 0.001, 9.0), WHITE)
    light = Light((0.0, -1.0, 0.0), (9.0, 9.0, 9.0), 0.0)
    # At distance 4 - 0.001 with focal 16 a pixel is a quarter of a unit wide.
    colours, coverage = render_view(LitModel([wall], [light], 64), FRONT, 16.0, 8, 4)
    np.testing.assert_allclose(coverage[4], [1, 1, 1, 1, 0.25, 0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(colours[4, :, 0], coverage[4], atol=1e-6)


def test_light_falls_by_the_cosine_and_casts_shadows() -> None:
    """A floor is lit by cos(angle), and dark where a block stands between it and the light."""
    floor = Solid((0.0, 0.0, -0.1), (1.0, 1.0, 0.1), (0.5, 0.25, 0.125))
    block = Solid((0.0, 0.0, 0.6), (0.3, 0.3, 0.1), WHITE)
    from_above = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 4], [0, 0, 0, 1]], np.float32)
    light = Light((0.6, 0.0, 0.8), (1.0, 1.0, 1.0), 0.0)
    colours, _ = render_view(LitModel([floor, block], [light], 256), from_above, 64.0, 64, 1)

    def shade(x: float) -> np.ndarray:
        return colours[32, int(32 + 16 * x)]  # at the floor's height

    np.testing.assert_allclose(shade(0.8) ** 2.2, 0.8 * np.array(floor.colour), rtol=1e-4)
    # The block's shadow falls to -x by height x tan: 0.5..0.7 x 0.75 around its own -0.3..0.3.
    assert shade(-0.6).max() == 0
    np.testing.assert_allclose(shade(-0.95) ** 2.2, 0.8 * np.array(floor.colour), rtol=1e-4)


def test_glossy_light_depends_on_the_view_and_diffuse_light_does_not() -> None:
    wall = Solid((0.0, 0.0, 0.0), (0.5, 0.1, 0.5), (0.2, 0.2, 0.2))
    from_side = FRONT.copy()
    turn = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]], np.float32)
    from_side[:3] = turn @ FRONT[:3]
    brightness = {}
    for gloss in (0.0, 0.5):
        model = LitModel([wall], [Light((0.0, -1.0, 0.0), (1.0, 1.0, 1.0), gloss)], 256)
        brightness[gloss] = [
            render_view(model, pose, 64.0, 32, 2)[0][16, 16, 0] for pose in (FRONT, from_side)
        ]
    np.testing.assert_allclose(np.square(brightness[0.0]) ** 1.1, 0.2, rtol=1e-4)
    # Facing the light, half the radiance is reflected on top; 37 degrees aside it is mostly not.
    half = np.cos(np.arccos(0.8) / 2)
    np.testing.assert_allclose(brightness[0.5][0] ** 2.2, 0.7, rtol=1e-2)
    np.testing.assert_allclose(brightness[0.5][1] ** 2.2, 0.2 + 0.5 * half**48, rtol=2e-2)


@pytest.mark.parametrize("axis", [None, 0, 1, 2])
def test_rays_along_the_axes_agree_with_marching(axis: int | None) -> None:
    """Straight down, where every division by a direction's component meets a zero."""
    solid = Solid((0.1, 0.2, 0.3), (0.5, 0.5, 0.5), WHITE, axis)
    distance, _ = first_hits(LitModel([solid], [], 1), parallel_rays((0.0, 0.0, 1.0), 2.0, 64))
    rays = parallel_rays((0.0, 0.0, 1.0), 2.0, 64)
    for row in range(1, 64, 3):
        for column in range(1, 64, 3):
            slow = march([solid], rays.origins[:, row, column], rays.directions[:, row, column])
            assert distance[row, column] == pytest.approx(slow, abs=2e-3)
