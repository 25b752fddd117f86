"""Photographs of the locomotive before a white sheet, small."""

from __future__ import annotations

import numpy as np
import pytest

from nerf.scenes.backdrop import content_windows
from nerf.scenes.builtin import bricks, locomotive, rendered_views
from nerf.scenes.builtin.raytrace import LitModel, camera_rays, first_hits
from nerf.scenes.builtin.studio import load_studio
from nerf.scenes.cameras.pixel_rays import project


@pytest.fixture(autouse=True)
def few_lights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two lights only: shadow maps take most of the time of a small image."""
    lights = locomotive.build_lights()[:2]
    monkeypatch.setattr(locomotive, "build_lights", lambda: lights)


@pytest.mark.parametrize("corner", [False, True])
def test_a_small_figure_before_a_white_sheet(corner: bool) -> None:
    scene = load_studio(corner, views=8, size=50, samples=1)
    assert scene.images.alphas is None
    assert (scene.background == 1).all()
    white = (scene.images[:] == 1).all(-1).mean()
    assert 0.8 < white < 0.93
    rim = np.concatenate(
        [scene.images[:, 0], scene.images[:, -1], scene.images[:, :, 0], scene.images[:, :, -1]]
    )
    assert (rim == 1).all()


def test_the_figure_is_in_the_middle_or_where_a_crop_to_the_centre_misses_it() -> None:
    for corner, place in ((False, (25, 25)), (True, (13, 37))):
        scene = load_studio(corner, views=8, size=50, samples=1)
        for view in range(8):
            column, row, _ = project(scene, view, np.zeros((1, 3)))
            assert (round(float(column[0])), round(float(row[0]))) == place
        top, left, height, width = content_windows(scene, list(range(8))).mean(0)
        middle = (left + width / 2, top + height / 2)
        np.testing.assert_allclose(middle, place, atol=5)


@pytest.mark.parametrize("corner", [False, True])
def test_bounds_contain_the_solids(corner: bool) -> None:
    scene = load_studio(corner, views=12, size=60, samples=1)
    assert scene.bounds.basis == "the hull of the silhouettes"
    model = LitModel(locomotive.build_locomotive(), [], 1)
    for pose in bricks.camera_poses(12):
        hit = first_hits(model, camera_rays(pose, 42.0, 60))[0]
        hit = hit[np.isfinite(hit)]
        assert scene.bounds.near < hit.min() < hit.max() < scene.bounds.far


def test_both_scenes_share_one_cached_rendering(monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_studio(False, views=8, size=20, samples=1)
    monkeypatch.setattr(rendered_views, "render_views", lambda *_: pytest.fail("rendered again"))
    assert load_studio(False, views=8, size=20, samples=1).content_hash == first.content_hash
    assert load_studio(True, views=8, size=20, samples=1).content_hash != first.content_hash
