from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from nerf.scenes import load
from nerf.scenes.builtin import bricks, rendered_views
from nerf.scenes.builtin import locomotive as locomotive_module
from nerf.scenes.builtin.bricks import build_model, load_bricks, make_shot
from nerf.scenes.builtin.locomotive import build_locomotive
from nerf.scenes.builtin.raytrace import LitModel, camera_rays, first_hits
from nerf.scenes.builtin.rendered_views import (
    Pixels,
    Shot,
    hash_sources,
    hemisphere_poses,
    render_views,
)

SMALL = {"views": 8, "size": 20, "samples": 1}


def test_scene_has_tiny_legos_geometry(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = {}

    def black(model: LitModel, shot: Shot, on_view: object) -> Pixels:
        views, size = len(shot.poses), shot.size
        arguments.update(views=views, size=size)
        return np.zeros((views, size, size, 4), np.uint8)

    monkeypatch.setattr(rendered_views, "render_views", black)  # its images are tested below
    scene = load("bricks")
    assert arguments == {"views": 106, "size": 100}
    assert scene.images.shape == (106, 100, 100, 3)
    np.testing.assert_allclose(scene.focal, 138.889, atol=1e-3)
    np.testing.assert_allclose(scene.centre, 50)
    eyes = scene.world_from_camera[:, :3, 3]
    np.testing.assert_allclose(np.linalg.norm(eyes, axis=1), 4.0311, atol=1e-4)
    assert eyes[:, 2].min() > 0
    assert len({*scene.train, *scene.val, *scene.test}) == 106


def test_cameras_look_at_the_origin() -> None:
    cameras = hemisphere_poses(40, bricks.CAMERA_DISTANCE)
    rotation, eye = cameras[:, :3, :3], cameras[:, :3, 3]
    square = rotation @ rotation.transpose(0, 2, 1)
    np.testing.assert_allclose(square - np.eye(3), 0, atol=1e-6)
    np.testing.assert_allclose(np.linalg.det(rotation), 1, atol=1e-6)
    np.testing.assert_allclose(eye - bricks.CAMERA_DISTANCE * rotation[:, :, 2], 0, atol=1e-6)
    assert (rotation[:, 2, 1] > 0).all()  # up in the image is up in the world


def test_object_lies_between_two_and_six_and_inside_the_image() -> None:
    model = LitModel(build_locomotive(), [], 1)
    for pose in hemisphere_poses(12, bricks.CAMERA_DISTANCE):
        distance, solid_index = first_hits(model, camera_rays(pose, 138.889, 100))
        hit = np.isfinite(distance)
        assert 2.5 < distance[hit].min() < distance[hit].max() < 5.6
        rim = np.concatenate(
            [solid_index[0], solid_index[-1], solid_index[:, 0], solid_index[:, -1]]
        )
        assert (rim < 0).all()
        assert 0.05 < hit.mean() < 0.6


def test_images_are_colourful_on_black_and_repeat_exactly() -> None:
    model, shot = build_model(), make_shot(4, 32, 2)
    whole = render_views(model, shot)
    assert (whole[:, 0] == 0).all()
    pixels = whole[..., :3]
    assert (pixels.max(-1) <= whole[..., 3]).all()  # colours are premultiplied
    lit = pixels[pixels.sum(-1) > 60].astype(int)
    for dominant in range(3):  # red, green and blue bricks are all seen
        others = np.delete(lit, dominant, axis=1).max(-1)
        assert (lit[:, dominant] - others > 40).mean() > 0.02
    np.testing.assert_array_equal(whole, render_views(model, shot))


def test_second_load_comes_from_the_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_bricks(**SMALL)
    assert len(list(cache.glob("bricks-8x20x1-*.npz"))) == 1
    monkeypatch.setattr(rendered_views, "render_views", lambda *_: pytest.fail("rendered again"))
    assert load_bricks(**SMALL).content_hash == first.content_hash


@pytest.mark.parametrize(
    ("old", "new", "same"), [("# Uniform", "# Even", True), ("0.88", "0.8", False)]
)
def test_only_code_changes_the_name_of_the_cache(
    tmp_path: Path, old: str, new: str, same: bool
) -> None:
    copy = shutil.copytree(Path(bricks.__file__).parent, tmp_path / "builtin")
    file = copy / "rendered_views.py"
    before = hash_sources([file])
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    assert (hash_sources([file]) == before) == same


@pytest.fixture
def few_lights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two lights only: shadow maps take most of the time of a small image."""
    lights = locomotive_module.build_lights()[:2]
    monkeypatch.setattr(locomotive_module, "build_lights", lambda: lights)


@pytest.mark.usefixtures("few_lights")
@pytest.mark.parametrize("damage", ["torn", "empty", "other", "nonsense"])
def test_broken_cache_is_rendered_again(cache: Path, damage: str) -> None:
    first = load_bricks(**SMALL)
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    if damage == "other":
        np.savez(file, pixels=np.zeros((1, 2, 3, 4), np.uint8))
    else:
        file.write_bytes(
            {"torn": whole[: len(whole) // 2], "empty": b"", "nonsense": b"x" * 99}[damage]
        )
    assert load_bricks(**SMALL).content_hash == first.content_hash
    assert file.read_bytes() == whole


def test_the_background_can_be_white() -> None:
    scene = load_bricks(**SMALL)
    white = scene.with_background("white")
    assert (white.images[:, 0] == 1).all()
    whole = white.images.alpha(np.s_[:]) == 1
    assert whole.any()
    np.testing.assert_array_equal(white.images[whole], scene.images[whole])


def test_a_cache_that_cannot_be_written_is_not_needed(cache: Path) -> None:
    cache.parent.write_text("a file where the folder should be")
    assert load_bricks(**SMALL).images.shape == (8, 20, 20, 3)
