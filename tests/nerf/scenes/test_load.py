from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nerf.common.errors import InputError
from nerf.scenes import load, split_views
from tests.nerf.scenes.real_scenes import REAL_SCENES, needs_real_scenes
from tests.nerf.scenes.scene_writers import write_colmap


@pytest.mark.parametrize("source", ["brick", "no/such/file.npz", "", "text.txt", "folder"])
def test_an_unknown_scene_names_the_ways_out(source: str, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("not a scene")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError) as error:
        load(str(tmp_path / source) if source.startswith(("text", "folder")) else source)
    message = str(error.value)
    assert "--scene bricks" in message
    assert "--scene PATH" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("file", "hint"),
    [
        ("capture/transforms.json", "its folder capture is one: give that as --scene"),
        ("capture/images/a.jpg", "its folder capture is one"),
        ("views.npz", "it has views.npz: give that file"),
        ("cameras.json", "if cameras.json holds its cameras, give that file"),
    ],
)
def test_a_folder_around_a_scene_names_it(tmp_path: Path, file: str, hint: str) -> None:
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).touch()
    with pytest.raises(InputError, match=hint):
        load(str(tmp_path))


def test_a_part_of_a_capture_names_the_whole(tmp_path: Path) -> None:
    folder = write_colmap(tmp_path / "scene")
    for part in ("sparse", "sparse/0"):
        with pytest.raises(InputError, match="give the folder around it"):
            load(str(folder / part))
    with pytest.raises(InputError, match=f"give {folder} as --scene"):
        load(str(folder / "images"))


@pytest.mark.parametrize("count", [3, 4, 5, 8, 9, 106])
def test_splits_are_disjoint_and_whole(count: int) -> None:
    split = split_views(count)
    assert sorted([*split["train"], *split["val"], *split["test"]]) == list(range(count))
    assert split["train"]
    assert split["test"]


def test_importing_scenes_loads_no_library_that_reading_needs() -> None:
    heavy = ("rich", "pooch", "requests", "imageio", "PIL", "pycolmap")
    code = f"import sys, nerf.scenes; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@needs_real_scenes
def test_real_tiny_lego() -> None:
    scene = load(f"{REAL_SCENES}/tiny_lego.npz")
    assert scene.images.shape == (100, 100, 100, 3)
    assert len(scene.train) == 75
