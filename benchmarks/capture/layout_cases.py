"""Captures in the layouts of Blender, COLMAP, LLFF and tiny-NeRF."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from capture.case import Truth, case, collect, refusal
from capture.colmap_writing import write_colmap
from capture.lenses import Camera
from capture.world import forward
from capture.writing import (
    Shots,
    camera_keys,
    numbered,
    save_all,
    shoot,
    write_blender,
    write_json,
    write_llff,
)

WHITE = (1.0, 1.0, 1.0)


# Blender's layout


def _blender(folder: Path, keys: dict[str, Any] | None = None, **parts: range) -> Shots:
    shots = shoot(numbered("train/{:03d}.png"), alpha=True)
    write_blender(folder, shots, parts or {"train": range(24)}, keys)
    return shots


@case("Blender's synthetic layout with three lists")
def blender(folder: Path) -> tuple[Path, Truth]:
    shots = _blender(folder, train=range(16), val=range(16, 20), test=range(20, 24))
    held, test = (frozenset(shots.names[start:]) for start in (16, 20))
    return folder, shots.truth(background=WHITE, held_out=held, test=test)


@case("transforms_train.json alone")
def blender_train_alone(folder: Path) -> tuple[Path, Truth]:
    return folder, _blender(folder).truth(background=WHITE)


@case("transforms_train.json with fl_x and no angle")
def blender_fl_x(folder: Path) -> tuple[Path, Truth]:
    return folder, _blender(folder, camera_keys(Camera())).truth(background=WHITE)


@case("transforms_train.json with camera_angle_y alone")
def blender_camera_angle_y(folder: Path) -> tuple[Path, Truth]:
    keys = {"camera_angle_y": 2 * math.atan(36 / 110)}
    return folder, _blender(folder, keys).truth(background=WHITE)


@case("Test cameras whose pictures were not rendered")
def blender_test_not_rendered(folder: Path) -> tuple[Path, Truth]:
    shots = _blender(folder)
    document = json.loads((folder / "transforms_train.json").read_text())
    missing = [
        {**frame, "file_path": frame["file_path"].replace("train/", "test/")}
        for frame in document["frames"][:6]
    ]
    write_json(folder / "transforms_test.json", {**document, "frames": missing})
    return folder, shots.truth(background=WHITE, mentions=("6 test images are missing",))


@case("A capture in Blender's layout in millimetres")
def blender_in_millimetres(folder: Path) -> tuple[Path, Truth]:
    shots = shoot(numbered("train/{:03d}.png"), alpha=True)
    large = [np.block([[p[:3, :3], 1000 * p[:3, 3:]], [p[3:]]]) for p in shots.poses]
    write_blender(folder, replace(shots, poses=large), {"train": range(24)})
    return folder, shots.truth(background=WHITE, mentions=("scaled",))


# COLMAP's folders


def _colmap(folder: Path, sparse: str = "sparse/0", **options: Any) -> Shots:
    shots = shoot(numbered("images/{:03d}.png"))
    save_all(folder, shots)
    write_colmap(folder / sparse, shots, **options)
    return shots


@case("COLMAP's text files")
def colmap_text(folder: Path) -> tuple[Path, Truth]:
    return folder, _colmap(folder, text=True).truth()


@case("The reconstruction in sparse/ itself")
def colmap_sparse_itself(folder: Path) -> tuple[Path, Truth]:
    return folder, _colmap(folder, "sparse").truth()


@case("instant-ngp's colmap_sparse/0")
def colmap_sparse_0(folder: Path) -> tuple[Path, Truth]:
    return folder, _colmap(folder, "colmap_sparse/0").truth()


@case("nerfstudio's colmap/sparse/0")
def colmap_within_colmap(folder: Path) -> tuple[Path, Truth]:
    return folder, _colmap(folder, "colmap/sparse/0").truth()


@case("sparse/0 with 3 views, sparse/1 with 21")
def colmap_two_models(folder: Path) -> tuple[Path, Truth]:
    shots = _colmap(folder, "sparse/1", views=range(3, 24))
    write_colmap(folder / "sparse/0", shots, views=range(3))
    shots.pictures = shots.pictures[3:]
    return folder, shots.truth(mentions=("sparse/0",))


@case("Registered pictures that were deleted")
def colmap_deleted_pictures(folder: Path) -> tuple[Path, Truth]:
    shots = _colmap(folder)
    for name in shots.names[4:6]:
        (folder / name).unlink()
    shots.pictures = [p for p in shots.pictures if p.name not in shots.names[4:6]]
    return folder, shots.truth(mentions=("2 registered images are missing",))


@case("A folder for each camera with the same file names")
def colmap_folders_of_cameras(folder: Path) -> tuple[Path, Truth]:
    names = [f"images/{('left cam', 'right cam')[v % 2]}/{v // 2:03d}.png" for v in range(24)]
    shots = shoot(names, camera=lambda v: Camera(focal=(110.0 + v % 2,) * 2))
    save_all(folder, shots)
    write_colmap(folder / "sparse/0", shots)
    return folder, shots.truth()


@case("gaussian-splatting's input/ and distorted/sparse/0")
def colmap_distorted(folder: Path) -> tuple[Path, Truth]:
    shots = _colmap(folder, "distorted/sparse/0")
    (folder / "images").rename(folder / "input")
    return folder, shots.truth()


@case("A COLMAP workspace with undistorted pictures in dense/")
def colmap_dense(folder: Path) -> tuple[Path, Truth]:
    shots = _colmap(folder, "dense/sparse")
    (folder / "images").rename(folder / "dense/images")
    return folder, shots.truth()


@case("A reconstruction cut off")
def colmap_truncated(folder: Path) -> tuple[Path, Truth]:
    _colmap(folder)
    file = folder / "sparse/0/images.bin"
    file.write_bytes(file.read_bytes()[:700])
    return folder, refusal("images.bin")


# LLFF


def _llff(folder: Path, near: float = 2.3, far: float = 6.2, **options: Any) -> Shots:
    shots = shoot(numbered("images/IMG_{:04d}.png"), forward())
    save_all(folder, shots)
    write_llff(folder, shots, [near] * 24, [far] * 24, **options)
    return shots


@case("LLFF's poses_bounds.npy")
def llff(folder: Path) -> tuple[Path, Truth]:
    return folder, _llff(folder).truth()


@case("One picture's far depth is five times that of the others")
def llff_one_wild_far(folder: Path) -> tuple[Path, Truth]:
    shots = _llff(folder)
    far = [31.0 if view == 13 else 6.2 for view in range(24)]
    write_llff(folder, shots, [2.3] * 24, far)
    return folder, shots.truth(mentions=("far depth of 1 views",))


@case("Stated depths that end in front of the table: matched points lie beyond")
def llff_depths_too_short(folder: Path) -> tuple[Path, Truth]:
    return folder, _llff(folder, 2.3, 3.2).truth(mentions=("matched beyond",))


@case("Height and width swapped")
def llff_swapped(folder: Path) -> tuple[Path, Truth]:
    return folder, _llff(folder, swapped=True).truth(mentions=("swapped",))


@case("LLFF with images_4 alone")
def llff_images_4(folder: Path) -> tuple[Path, Truth]:
    shots = _llff(folder, scale=4)
    (folder / "images").rename(folder / "images_4")
    return folder, shots.truth(mentions=("images_4",))


@case("Two poses fewer than pictures: nothing says which belong together")
def llff_more_pictures(folder: Path) -> tuple[Path, Truth]:
    _llff(folder)
    table = np.load(folder / "poses_bounds.npy")
    np.save(folder / "poses_bounds.npy", table[:22])
    return folder, refusal("poses_bounds.npy", "22", "24")


@case("LLFF's file beside a COLMAP reconstruction without its images file")
def llff_beside_torn_colmap(folder: Path) -> tuple[Path, Truth]:
    shots = _llff(folder)
    write_colmap(folder / "sparse/0", shots)
    (folder / "sparse/0/images.bin").unlink()
    return folder, shots.truth()


# tiny-NeRF files


def _tiny(folder: Path, **changes: Any) -> tuple[Path, Truth]:
    shots = shoot(numbered("{:03d}"), backdrop=0.0, camera=changes.pop("camera", Camera(72, 72)))
    focal = changes.pop("focal", np.float64(110.0))
    images = np.stack(shots.pixels)
    if changes.pop("as_floats", True):
        images = images / np.float32(255)
    arrays = {"images": images, "poses": np.stack(shots.poses), "focal": focal, **changes}
    np.savez(folder / "scene.npz", **arrays)
    return folder / "scene.npz", shots.truth()


@case("tiny_nerf_data.npz")
def tiny_nerf(folder: Path) -> tuple[Path, Truth]:
    return _tiny(folder)


@case("The focal length as an array of one")
def tiny_nerf_focal_array(folder: Path) -> tuple[Path, Truth]:
    return _tiny(folder, focal=np.array([110.0]))


@case("Pictures that are not square")
def tiny_nerf_not_square(folder: Path) -> tuple[Path, Truth]:
    return _tiny(folder, camera=Camera())


@case("Pictures as bytes")
def tiny_nerf_bytes(folder: Path) -> tuple[Path, Truth]:
    return _tiny(folder, as_floats=False)


@case("Python objects in the file, which can run any code")
def tiny_nerf_pickled(folder: Path) -> tuple[Path, Truth]:
    _tiny(folder, poses=np.array([{"a": 1}], object))
    return folder / "scene.npz", refusal("scene.npz")


CASES = collect(globals())
