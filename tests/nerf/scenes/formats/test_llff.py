"""LLFF folders with the mistakes that people's converters and matchers make."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nerf.common.errors import InputError
from nerf.scenes import load
from tests.nerf.scenes.scene_writers import llff_table, write_llff


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_llff(tmp_path / "scene")


def test_one_wild_far_depth_is_not_used_and_named(folder: Path) -> None:
    far = load(str(folder)).bounds.far
    table = llff_table()
    table[3, 16] = 30.0
    np.save(folder / "poses_bounds.npy", table)
    scene = load(str(folder))
    assert scene.bounds.far == pytest.approx(far)
    assert "the far depth of 1 views, up to 30, is not used" in scene.notes[0]


def test_far_depths_that_vary_are_all_used(folder: Path) -> None:
    far = load(str(folder)).bounds.far
    table = llff_table()
    table[:4, 16] = 30.0
    np.save(folder / "poses_bounds.npy", table)
    assert load(str(folder)).bounds.far > 4 * far


def test_swapped_heights_and_widths_are_swapped_back(folder: Path) -> None:
    whole = load(str(folder))
    table = llff_table()
    table[:, [4, 9]] = table[:, [9, 4]]
    np.save(folder / "poses_bounds.npy", table)
    scene = load(str(folder))
    assert scene.content_hash == whole.content_hash
    assert "swapped" in scene.notes[0]


def test_pictures_that_are_turned_by_their_exif_are_not_swapped_for(folder: Path) -> None:
    whole = load(str(folder))
    exif = Image.Exif()
    exif[0x0112] = 6  # shown after a quarter turn clockwise
    for file in (folder / "images").iterdir():
        with Image.open(file) as image:
            image.transpose(Image.Transpose.ROTATE_90).save(file, exif=exif)
    assert load(str(folder)).content_hash == whole.content_hash


def test_a_reconstruction_without_its_images_file_is_passed_over(folder: Path) -> None:
    whole = load(str(folder)).content_hash
    (folder / "sparse" / "0").mkdir(parents=True)
    (folder / "sparse" / "0" / "cameras.bin").write_bytes(b"")
    assert load(str(folder)).content_hash == whole


def test_more_images_than_poses_are_refused_with_the_way_out(folder: Path) -> None:
    Image.new("RGB", (12, 10)).save(folder / "images" / "99.png")
    with pytest.raises(InputError, match="remove the images that have no pose"):
        load(str(folder))
