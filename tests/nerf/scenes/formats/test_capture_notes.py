"""What looks wrong about a capture as a whole is named when it is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from nerf.scenes import Scene, load
from tests.nerf.scenes.scene_writers import NAMES, edit_frame, poses, write_instant_ngp


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_instant_ngp(tmp_path / "scene")


def warnings(scene: Scene) -> list[str]:
    return [note for note in scene.notes if note.startswith("warning")]


def test_a_usual_capture_has_no_warnings(folder: Path) -> None:
    assert warnings(load(str(folder))) == []


def test_an_alpha_channel_in_some_images_alone_is_named(folder: Path) -> None:
    Image.new("RGBA", (12, 10), (200, 100, 50, 0)).save(folder / "images" / NAMES[1])
    (warning,) = warnings(load(str(folder)))
    assert "1 of 8 images have an alpha channel" in warning


def test_a_copy_of_an_image_is_named(folder: Path) -> None:
    (folder / "images" / NAMES[6]).write_bytes((folder / "images" / NAMES[2]).read_bytes())
    (warning,) = warnings(load(str(folder)))
    assert "1 images are copies of others (06.png of 02.png)" in warning


def test_a_camera_that_is_far_from_all_others_is_named(folder: Path) -> None:
    pose = poses()[3]
    pose[:3, 3] *= 1000
    edit_frame(folder / "transforms.json", 3, transform_matrix=pose.tolist())
    (warning,) = warnings(load(str(folder)))
    assert "the farthest is that of 03.png" in warning
