"""Masks in the folder `masks` of a capture, of every format that has files of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nerf.common.errors import InputError
from nerf.scenes import Scene, load
from nerf.scenes.formats.mask_files import MaskFolder
from tests.nerf.scenes.scene_writers import (
    HEIGHT,
    NAMES,
    WIDTH,
    edit_frame,
    write_blender,
    write_colmap,
    write_instant_ngp,
    write_llff,
)


def add_masks(folder: Path, names: list[str], columns: int = 3) -> None:
    """Masks that leave out the first columns of their images."""
    for name in names:
        file = folder / "masks" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        mask = np.full((HEIGHT, WIDTH), 255, np.uint8)
        mask[:, :columns] = 0
        Image.fromarray(mask).save(file)


def share_left_out(scene: Scene) -> float:
    return 0.0 if scene.images.valid is None else float(1 - scene.images.valid.mean())


@pytest.mark.parametrize("write", [write_instant_ngp, write_colmap, write_llff])
@pytest.mark.parametrize("suffix", ["", ".png"])
def test_masks_beside_the_images_leave_out_pixels(
    tmp_path: Path, write: Callable[[Path], Path], suffix: str
) -> None:
    folder = write(tmp_path / "scene")
    add_masks(folder, [name + suffix for name in NAMES])
    assert share_left_out(load(str(folder))) == 3 / WIDTH


def test_a_mask_belongs_to_the_image_in_the_same_folder(tmp_path: Path) -> None:
    folder = write_blender(tmp_path / "scene")
    add_masks(folder, [NAMES[0]])
    scene = load(str(folder))
    assert share_left_out(scene) == 0
    assert any("masks/ is not used: none of its 1 files" in note for note in scene.notes)
    add_masks(folder, [f"all/{name}" for name in NAMES])
    assert share_left_out(load(str(folder))) == 3 / WIDTH


def test_masks_that_the_camera_file_names_are_not_said_to_be_unused(tmp_path: Path) -> None:
    folder = write_instant_ngp(tmp_path / "scene")
    add_masks(folder, ["of_all.png"])
    for view in range(len(NAMES)):
        edit_frame(folder / "transforms.json", view, mask_path="masks/of_all.png")
    scene = load(str(folder))
    assert share_left_out(scene) == 3 / WIDTH
    assert not any("masks/ is not used" in note for note in scene.notes)


@pytest.mark.parametrize("mask", ["a.jpg.png", "a.png"])
def test_masks_have_the_names_of_colmap_or_of_nerfstudio(tmp_path: Path, mask: str) -> None:
    add_masks(tmp_path, [f"left/{mask}"])
    masks = MaskFolder(tmp_path, tmp_path)
    assert masks.find("left/b.jpg") is None
    assert masks.notes()
    assert masks.find("left/a.jpg") == tmp_path / "masks" / "left" / mask
    assert not masks.notes()


def test_views_of_which_a_mask_leaves_nothing_are_not_used(tmp_path: Path) -> None:
    folder = write_instant_ngp(tmp_path / "scene")
    whole = load(str(folder))
    add_masks(folder, [NAMES[whole.train[0]]], columns=WIDTH)
    scene = load(str(folder))
    assert (scene.train, scene.val, scene.test) == (whole.train[1:], whole.val, whole.test)
    assert any("and all of 1 of them, which are not used" in note for note in scene.notes)
    add_masks(folder, [NAMES[view] for view in whole.val], columns=WIDTH)
    with pytest.raises(InputError, match="its masks leave no pixel of any val view"):
        load(str(folder))


def test_images_without_a_mask_and_masks_of_most_pixels_are_named(tmp_path: Path) -> None:
    folder = write_instant_ngp(tmp_path / "scene")
    add_masks(folder, NAMES[2:], columns=9)
    (note,) = (note for note in load(str(folder)).notes if "masks" in note)
    assert note.startswith("6 of 8 images have masks, which leave out 75.0 % of their pixels")
    assert "invert the masks if that is the wrong way" in note
