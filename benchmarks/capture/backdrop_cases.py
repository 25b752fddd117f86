"""Backdrops and geometry: what surrounds the object, and how far away things are."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from capture.case import Truth, case, collect
from capture.colmap_writing import write_colmap
from capture.lenses import Camera
from capture.world import ground_picture, outward, wall_picture
from capture.writing import numbered, save_all, shoot, write_transforms

FAR_CAMERA = Camera(focal=(68.0, 68.0))
"""From it the table fills an eighth of each picture."""


def _before(folder: Path, colour: float | tuple[float, ...], pattern: str, **truth: Any) -> Any:
    shots = shoot(numbered(pattern), backdrop=colour, camera=truth.pop("camera", Camera()))
    write_transforms(folder, shots)
    named = (colour,) * 3 if isinstance(colour, float) else colour
    return folder, shots.truth(**{"background": named} | truth)


@case("RGB pictures before a white sheet")
def white_sheet(folder: Path) -> tuple[Path, Truth]:
    return _before(folder, 1.0, "images/{:03d}.png", mentions=("#ffffff",))


@case("A small figure before white, as JPEG")
def white_sheet_small_figure(folder: Path) -> tuple[Path, Truth]:
    return _before(folder, 1.0, "images/{:03d}.jpg", camera=FAR_CAMERA, mentions=("#ffffff",))


@case("RGB pictures before grey paper")
def grey_paper(folder: Path) -> tuple[Path, Truth]:
    return _before(folder, 0.6, "images/{:03d}.png", mentions=("#999999",))


@case("A green screen")
def green_screen(folder: Path) -> tuple[Path, Truth]:
    return _before(folder, (0.0, 0.8, 0.2), "images/{:03d}.png", mentions=("#00cc33",))


@case("RGB pictures before black cloth")
def black_cloth(folder: Path) -> tuple[Path, Truth]:
    return _before(folder, 0.0, "images/{:03d}.png")


@case("White sheet, but --background black", background="black")
def black_over_white_sheet(folder: Path) -> tuple[Path, Truth]:
    return _before(folder, 1.0, "images/{:03d}.png", background=(0.0, 0.0, 0.0))


@case("White sheet, but --background none", background="none")
def none_over_white_sheet(folder: Path) -> tuple[Path, Truth]:
    return _before(folder, 1.0, "images/{:03d}.png", background=(0.0, 0.0, 0.0))


@case("White declared for a sheet before black cloth", background="white")
def white_over_black_cloth(folder: Path) -> tuple[Path, Truth]:
    return _before(folder, 0.0, "images/{:03d}.png", background=(1.0, 1.0, 1.0))


@case("A room behind the object: no backdrop")
def object_in_a_room(folder: Path) -> tuple[Path, Truth]:
    shots = shoot(numbered("images/{:03d}.png"))
    write_transforms(folder, shots)
    return folder, shots.truth()


@case("A white sheet with COLMAP's cameras")
def colmap_white_sheet(folder: Path) -> tuple[Path, Truth]:
    shots = shoot(numbered("images/{:03d}.png"), backdrop=1.0)
    save_all(folder, shots)
    write_colmap(folder / "sparse/0", shots)
    return folder, shots.truth(background=(1.0, 1.0, 1.0), mentions=("#ffffff",))


@case("Cameras in the middle of a room that look at its wall")
def looking_outward(folder: Path) -> tuple[Path, Truth]:
    shots = shoot(numbered("images/{:03d}.png"), outward(), world=wall_picture)
    write_transforms(folder, shots)
    return folder, shots.truth()


@case("A drone 350 m above flat ground that looks straight down")
def straight_down(folder: Path) -> tuple[Path, Truth]:
    poses = []
    for view in range(24):
        pose = np.eye(4)
        pose[:3, 3] = (55.0 * (view % 6), 60.0 * (view // 6), 350.0 + 3 * (view % 4))
        poses.append(pose)
    shots = shoot(numbered("images/{:03d}.png"), poses, world=ground_picture)
    keys = {"fl_x": None, "fl_y": None, "camera_angle_x": 2 * math.atan(48 / 110)}
    write_transforms(folder, shots, **keys)
    return folder, shots.truth()


@case("The same from a machine whose world is far from its origin")
def far_from_the_origin(folder: Path) -> tuple[Path, Truth]:
    shots = shoot(numbered("images/{:03d}.png"))
    moved = [np.block([[p[:3, :3], p[:3, 3:] + 5000.0], [p[3:]]]) for p in shots.poses]
    document = write_transforms(folder, shots)
    for frame, pose in zip(document["frames"], moved, strict=True):
        frame["transform_matrix"] = pose.tolist()
    write_transforms(folder, shots, frames=document["frames"])
    return folder, shots.truth()


CASES = collect(globals())
