"""Which views are held out, as the authors of captures say it."""

from __future__ import annotations

from pathlib import Path

from capture.case import Truth, case, collect, held_out
from capture.colmap_writing import write_colmap
from capture.writing import Shots, numbered, save_all, shoot, write_transforms

LAST = slice(18, None)


def _shots() -> Shots:
    return shoot(numbered("images/frame_{:05d}.jpg"))


@case("Lists of training and validation views alone")
def train_and_val_lists(folder: Path) -> tuple[Path, Truth]:
    shots = _shots()
    names = shots.names
    write_transforms(folder, shots, train_filenames=names[:18], val_filenames=names[LAST])
    return folder, held_out(shots.truth(), names[LAST])


@case("Lists of training and test views alone")
def train_and_test_lists(folder: Path) -> tuple[Path, Truth]:
    shots = _shots()
    names = shots.names
    write_transforms(folder, shots, train_filenames=names[:18], test_filenames=names[LAST])
    return folder, held_out(shots.truth(), names[LAST], test=frozenset(names[LAST]))


@case("Three lists, of which val and test are the same, as exporters of nerfstudio write them")
def val_list_is_test_list(folder: Path) -> tuple[Path, Truth]:
    shots = _shots()
    held = shots.names[LAST]
    lists = {"train_filenames": shots.names[:18], "val_filenames": held, "test_filenames": held}
    write_transforms(folder, shots, **lists)
    return folder, held_out(shots.truth(), held, test=frozenset(held))


@case("A list of training views alone: the rest is held out")
def train_list_alone(folder: Path) -> tuple[Path, Truth]:
    shots = _shots()
    write_transforms(folder, shots, train_filenames=shots.names[:18])
    return folder, held_out(shots.truth(), shots.names[LAST])


@case("A test list alone")
def test_list_alone(folder: Path) -> tuple[Path, Truth]:
    shots = _shots()
    held = shots.names[LAST]
    write_transforms(folder, shots, test_filenames=held)
    return folder, held_out(shots.truth(), held, test=frozenset(held))


@case("Three lists without overlap")
def three_lists(folder: Path) -> tuple[Path, Truth]:
    shots = _shots()
    names = shots.names
    lists = {"train_filenames": names[:16], "val_filenames": names[16:20]}
    write_transforms(folder, shots, **lists, test_filenames=names[20:])
    return folder, held_out(shots.truth(), names[16:], test=frozenset(names[20:]))


@case("Views in the training list and in the test list")
def overlapping_lists(folder: Path) -> tuple[Path, Truth]:
    shots = _shots()
    held = shots.names[LAST]
    write_transforms(folder, shots, train_filenames=shots.names[:20], test_filenames=held)
    return folder, held_out(shots.truth(mentions=("also held out",)), held, test=frozenset(held))


@case("COLMAP with train_list.txt and test_list.txt")
def colmap_split_lists(folder: Path) -> tuple[Path, Truth]:
    shots = shoot(numbered("images/{:03d}.png"))
    save_all(folder, shots)
    write_colmap(folder / "sparse/0", shots)
    names = [Path(name).name for name in shots.names]
    (folder / "train_list.txt").write_text("\n".join(names[:18]) + "\n")
    (folder / "test_list.txt").write_text("\n".join(names[LAST]) + "\n")
    return folder, held_out(shots.truth(), shots.names[LAST], test=frozenset(shots.names[LAST]))


@case("COLMAP with the test.txt of gaussian-splatting's scenes")
def colmap_test_txt(folder: Path) -> tuple[Path, Truth]:
    shots = shoot(numbered("images/{:03d}.png"))
    save_all(folder, shots)
    write_colmap(folder / "sparse/0", shots)
    listed = [Path(name).name for name in shots.names[LAST]]
    (folder / "sparse/0/test.txt").write_text("\n".join(listed) + "\n")
    return folder, held_out(shots.truth(), shots.names[LAST], test=frozenset(shots.names[LAST]))


@case("Three photographs in all: one is trained on")
def three_photographs(folder: Path) -> tuple[Path, Truth]:
    shots = shoot(numbered("images/{:03d}.png", 3))
    save_all(folder, shots)
    write_colmap(folder / "sparse/0", shots)
    return folder, shots.truth(few_views=True, mentions=("training view",))


CASES = collect(globals())
