"""Poses that COLMAP estimates from pictures of a known room, and what is said of the others."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nerf.common.errors import InputError
from nerf.scenes import load
from nerf.scenes.scene import Scene
from tests.nerf.scenes.photographs.textured_room import aligned_errors, poses, write_pictures

VIEWS = 8


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight pictures of the room, a black one and a damaged one."""
    folder = tmp_path_factory.mktemp("captures") / "room"
    write_pictures(folder, VIEWS)
    Image.new("RGB", (240, 180)).save(folder / "lens cap.jpg")
    (folder / "torn.jpg").write_bytes((folder / "view 00.jpg").read_bytes()[:300])
    return folder


@pytest.fixture(scope="module")
def caches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("caches")


@pytest.fixture(scope="module")
def scene(room: Path, caches: Path) -> Scene:
    pytest.importorskip("pycolmap")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(caches))
        return load(str(room))


def test_estimated_poses_are_the_true_ones_but_for_a_similarity(scene: Scene) -> None:
    positions, degrees = aligned_errors(scene.world_from_camera.astype(float), poses(VIEWS))
    assert positions.max() < 0.01
    assert degrees.max() < 0.5


def test_pictures_that_could_not_be_placed_are_named_with_the_reason(
    scene: Scene, caches: Path
) -> None:
    placed, unreadable, dark, kept = scene.notes
    assert placed == "the cameras of 8 of 9 pictures were estimated by COLMAP"
    assert unreadable == "left out, as they cannot be read: torn.jpg"
    assert dark.startswith("1 not placed, too few details")
    assert dark.endswith("lens cap.jpg")
    assert str(caches / "nerf-study" / "photographs") in kept


def test_the_same_pictures_elsewhere_take_the_poses_from_the_cache(
    scene: Scene,
    room: Path,
    caches: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(caches))
    shutil.copytree(room, tmp_path / "moved" / "images")
    assert load(str(tmp_path / "moved")).content_hash == scene.content_hash
    assert capsys.readouterr().err == ""  # nothing was estimated


def test_a_copy_of_the_model_beside_the_pictures_is_the_same_scene(
    scene: Scene, room: Path, tmp_path: Path
) -> None:
    shutil.copytree(room, tmp_path / "room")
    shutil.copytree(Path(scene.source).parent, tmp_path / "room" / "sparse")
    assert load(str(tmp_path / "room")).content_hash == scene.content_hash


def test_the_same_pictures_give_the_same_scene_without_the_cache(scene: Scene, room: Path) -> None:
    assert load(str(room)).content_hash == scene.content_hash


def test_the_folder_of_photographs_is_left_as_it_was(scene: Scene, room: Path) -> None:
    expected = [f"view {view:02d}.jpg" for view in range(VIEWS)]
    assert sorted(path.name for path in room.iterdir()) == ["lens cap.jpg", "torn.jpg", *expected]


def test_black_pictures_are_refused_with_what_to_photograph_better(
    tmp_path: Path, cache: Path
) -> None:
    pytest.importorskip("pycolmap")
    for view in range(4):
        Image.new("RGB", (40, 30), (view, 0, 0)).save(tmp_path / f"{view}.png")
    with pytest.raises(InputError, match=r"0 of 4 .* few details .* more light") as error:
        load(str(tmp_path))
    assert "\n" not in str(error.value)
    assert not list((cache / "photographs").iterdir())  # the next call tries again


def test_two_pictures_are_too_few(tmp_path: Path) -> None:
    write_pictures(tmp_path, 2)
    with pytest.raises(InputError, match=r"needs 3 pictures and more .* and has 2"):
        load(str(tmp_path))


def test_without_pycolmap_its_extra_is_named(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycolmap", None)
    with pytest.raises(InputError, match=r"pip install 'nerf-study\[photos\]'"):
        load(str(room))


def test_a_camera_file_of_another_name_is_offered_before_cameras_are_estimated(
    tmp_path: Path,
) -> None:
    write_pictures(tmp_path, 1)
    (tmp_path / "cameras.json").write_text("{}")
    with pytest.raises(InputError, match=r"if cameras\.json holds its cameras"):
        load(str(tmp_path))


@pytest.mark.parametrize(
    ("name", "remedy"), [("IMG_1.HEIC", "convert them to JPEG"), ("a.mov", "give that file")]
)
def test_a_folder_of_other_files_says_what_to_do_with_them(
    name: str, remedy: str, tmp_path: Path
) -> None:
    (tmp_path / name).touch()
    with pytest.raises(InputError, match=remedy):
        load(str(tmp_path))


def test_a_video_that_cannot_be_decoded_is_refused(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(bytes(np.arange(256, dtype=np.uint8)) * 20)
    with pytest.raises(InputError, match=r"film\.mp4: cannot be decoded as a video"):
        load(str(tmp_path / "film.mp4"))
