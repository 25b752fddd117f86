"""COLMAP folders as COLMAP, nerfstudio, instant-ngp and gaussian-splatting leave them."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nerf.common.errors import InputError
from nerf.scenes import Scene, load
from tests.nerf.scenes.scene_writers import NAMES, VIEWS, write_colmap


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_colmap(tmp_path / "scene")


def notes(scene: Scene) -> str:
    return "\n".join(scene.notes)


def keep_images(model: Path, count: int) -> None:
    """Rewrites a text model with its first images alone."""
    lines = (model / "images.txt").read_text().splitlines(keepends=True)
    (model / "images.txt").write_text("".join(lines[: 1 + 2 * count]))


def test_the_largest_reconstruction_is_read_and_others_are_named(tmp_path: Path) -> None:
    folder = write_colmap(tmp_path / "scene", text=True)
    shutil.copytree(folder / "sparse" / "0", folder / "sparse" / "1")
    keep_images(folder / "sparse" / "0", 3)
    scene = load(str(folder))
    assert len(scene.images) == VIEWS
    assert "sparse/1 with 8 images is read; not used: sparse/0 with 3" in notes(scene)


@pytest.mark.parametrize(
    "place",
    ["sparse", "colmap/sparse/0", "colmap_sparse/0", "colmap_text", "distorted/sparse/0", "."],
)
def test_reconstructions_are_found_where_tools_leave_them(folder: Path, place: str) -> None:
    whole = load(str(folder)).content_hash
    shutil.move(folder / "sparse" / "0", folder / "moved")
    (folder / "sparse").rmdir()
    shutil.copytree(folder / "moved", folder / place, dirs_exist_ok=True)
    shutil.rmtree(folder / "moved")
    if place.startswith("distorted"):
        (folder / "images").rename(folder / "input")
    assert load(str(folder)).content_hash == whole


@pytest.mark.parametrize("place", ["dense", "dense/0"])
def test_a_workspace_has_undistorted_images_if_not_the_original_ones(
    folder: Path, place: str
) -> None:
    whole = load(str(folder)).content_hash
    shutil.copytree(folder / "sparse" / "0", folder / place / "sparse")
    (folder / "images").rename(folder / place / "images")
    (folder / "sparse" / "0" / "cameras.bin").write_bytes(b"another camera")
    assert load(str(folder)).content_hash == whole


def test_the_folder_of_images_may_have_any_name(folder: Path) -> None:
    whole = load(str(folder)).content_hash
    (folder / "images").rename(folder / "frames")
    scene = load(str(folder))
    assert scene.content_hash == whole
    assert "frames/ is read, as there is no `images` or `input`" in notes(scene)


def test_missing_images_are_left_out_and_counted(folder: Path) -> None:
    for name in (NAMES[2], NAMES[5]):
        (folder / "images" / name).unlink()
    scene = load(str(folder))
    assert len(scene.images) == VIEWS - 2
    assert "2 registered images are missing and left out, the first is 02.png" in notes(scene)


def test_image_names_may_have_another_extension(folder: Path) -> None:
    for name in NAMES:
        image = folder / "images" / name
        Image.open(image).save(image.with_suffix(".JPG"), format="JPEG")
        image.unlink()
    assert "8 image names have another extension" in notes(load(str(folder)))


def test_lists_of_names_are_the_split(folder: Path) -> None:
    (folder / "train_list.txt").write_text("\n".join(NAMES[:5]) + "\n")
    (folder / "test_list.txt").write_text("\n".join(NAMES[5:]) + "\n")
    scene = load(str(folder))
    assert scene.test == (5, 6, 7)
    assert {*scene.train, *scene.val} == {0, 1, 2, 3, 4}
    (folder / "test_list.txt").write_text("nothing.png")
    with pytest.raises(InputError, match="test list names none of the images"):
        load(str(folder))


def test_the_test_list_of_gaussian_splatting(folder: Path) -> None:
    (folder / "sparse" / "0" / "test.txt").write_text("03.png\n06.png\n")
    assert load(str(folder)).test == (3, 6)


def test_lines_of_features_may_be_left_out(tmp_path: Path) -> None:
    folder = write_colmap(tmp_path / "scene", text=True)
    images = folder / "sparse" / "0" / "images.txt"
    lines = images.read_text().splitlines(keepends=True)
    images.write_text(lines[0] + "".join(lines[1::2]))
    assert len(load(str(folder)).images) == VIEWS


def test_points_may_be_missing_or_in_a_ply_file(folder: Path) -> None:
    (folder / "sparse" / "0" / "points3D.bin").unlink()
    assert "0 points" in load(str(folder)).summary
    header = "ply\nformat ascii 1.0\nelement vertex 2\n"
    header += "".join(f"property double {axis}\n" for axis in "xyz") + "end_header\n"
    (folder / "sparse" / "0" / "points3D.ply").write_text(header + "0 0 0\n1 1 1\n")
    assert "2 points" in load(str(folder)).summary


def test_a_link_to_the_images_is_followed_if_it_is_trusted(folder: Path) -> None:
    whole = load(str(folder)).content_hash
    (folder / "images").rename(folder.parent / "photos")
    (folder / "images").symlink_to(folder.parent / "photos")
    with pytest.raises(InputError, match=r"symbolic link .* --follow-links"):
        load(str(folder))
    assert load(str(folder), follow_links=True).content_hash == whole


def test_a_camera_that_is_not_read_is_named(folder: Path) -> None:
    cameras = folder / "sparse" / "0" / "cameras.bin"
    content = bytearray(cameras.read_bytes())
    content[12:16] = struct.pack("<i", 10)
    cameras.write_bytes(content)
    with pytest.raises(InputError, match=r"model THIN_PRISM_FISHEYE, which is not read; undistort"):
        load(str(folder))


def test_a_reconstruction_without_downscaled_images_is_shrunk(folder: Path) -> None:
    whole, small = load(str(folder)), load(str(folder), downscale=2)
    np.testing.assert_allclose(small.focal, whole.focal / 2)
