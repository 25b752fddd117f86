"""Folders and camera files as people have them: poses, keys, links, other layouts."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from capture.case import Truth, case, collect, refusal, truth_of
from capture.lenses import Camera, Floats
from capture.world import surface_points
from capture.writing import (
    Shots,
    frames,
    numbered,
    save_all,
    shoot,
    write_json,
    write_points,
    write_transforms,
)

WHITE = (1.0, 1.0, 1.0)


def _shots(**changes: Any) -> Shots:
    return shoot(numbered("images/{:03d}.png"), **changes)


def _with_matrices(folder: Path, matrices: list[Floats], **truth: Any) -> tuple[Path, Truth]:
    """A capture whose poses are written as these matrices."""
    shots = _shots()
    document = write_transforms(folder, shots)
    for frame, matrix in zip(document["frames"], matrices, strict=True):
        frame["transform_matrix"] = matrix.tolist()
    write_json(folder / "transforms.json", document)
    return folder, shots.truth(**truth)


@case("Cameras under an object of scale 0.05: all rotations have that length")
def scaled_rotations(folder: Path) -> tuple[Path, Truth]:
    scale = np.diag([0.05, 0.05, 0.05, 1.0])
    return _with_matrices(folder, [p @ scale for p in _shots().poses], mentions=("scaled",))


@case("Poses rounded to three decimals")
def rounded_poses(folder: Path) -> tuple[Path, Truth]:
    path, truth = _with_matrices(folder, [p.round(3) for p in _shots().poses])
    return path, truth


@case("Pose matrices of three rows")
def three_rows(folder: Path) -> tuple[Path, Truth]:
    return _with_matrices(folder, [p[:3] for p in _shots().poses])


@case("A pose that shears")
def sheared_pose(folder: Path) -> tuple[Path, Truth]:
    poses = _shots().poses
    poses[7] = poses[7] @ np.array([[1, 0.2, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    _with_matrices(folder, poses)
    return folder, refusal("transforms.json", "7")


@case("A pose that mirrors")
def mirrored_pose(folder: Path) -> tuple[Path, Truth]:
    poses = _shots().poses
    poses[3] = poses[3] @ np.diag([-1.0, 1, 1, 1])
    _with_matrices(folder, poses)
    return folder, refusal("transforms.json", "3", "flip")


@case("Poses in OpenCV's convention, which a transforms.json does not have: named")
def poses_of_opencv(folder: Path) -> tuple[Path, Truth]:
    shots = _shots(camera=Camera(192, 144, (220.0, 220.0)))
    turned = [pose @ np.diag([1.0, -1.0, -1.0, 1.0]) for pose in shots.poses]
    write_transforms(folder, replace(shots, poses=turned))
    shots.pictures = [
        truth_of(p.name, pose, camera, p.colours)
        for p, pose, camera in zip(shots.pictures, turned, shots.cameras, strict=True)
    ]
    return folder, shots.truth(mentions=("OpenCV",))


@case("Three frames listed twice")
def frames_twice(folder: Path) -> tuple[Path, Truth]:
    shots = _shots()
    write_transforms(folder, shots, frames=[*frames(shots), *frames(shots)[:3]])
    return folder, shots.truth(mentions=("twice",))


@case("Frames whose pictures were thrown away")
def missing_pictures(folder: Path) -> tuple[Path, Truth]:
    shots = _shots()
    write_transforms(folder, shots)
    for name in shots.names[5:7]:
        (folder / name).unlink()
    shots.pictures = [p for p in shots.pictures if p.name not in shots.names[5:7]]
    return folder, shots.truth(mentions=("2 frames",))


@case("fl_x alone: no fl_y, size or principal point")
def fl_x_alone(folder: Path) -> tuple[Path, Truth]:
    shots = _shots()
    write_transforms(folder, shots, fl_y=None, w=None, h=None, cx=None, cy=None)
    return folder, shots.truth()


@case("camera_angle_y alone")
def camera_angle_y_alone(folder: Path) -> tuple[Path, Truth]:
    shots = _shots()
    save_all(folder, shots)
    document = {"camera_angle_y": 2 * math.atan(36 / 110), "frames": frames(shots)}
    write_json(folder / "transforms.json", document)
    return folder, shots.truth()


@case("No focal length at all")
def no_focal_length(folder: Path) -> tuple[Path, Truth]:
    shots = _shots()
    write_transforms(folder, shots, fl_x=None, fl_y=None)
    return folder, refusal("transforms.json", "fl_x")


@case("The transforms.json itself as the scene")
def json_given(folder: Path) -> tuple[Path, Truth]:
    shots = _shots()
    write_transforms(folder, shots)
    return folder / "transforms.json", shots.truth()


@case("A camera file of another name as the scene")
def json_of_another_name(folder: Path) -> tuple[Path, Truth]:
    shots = _shots()
    write_transforms(folder, shots)
    (folder / "transforms.json").rename(folder / "cameras.json")
    return folder / "cameras.json", shots.truth()


@case("Keys that nothing is read from are listed")
def unused_keys(folder: Path) -> tuple[Path, Truth]:
    shots = _shots()
    write_transforms(folder, shots, aabb_scale=16, rolling_shutter=[0, 0, 0, 0])
    return folder, shots.truth(mentions=("aabb_scale", "rolling_shutter"))


def _beside(folder: Path) -> tuple[Path, Truth]:
    """A camera file in ngp/ that names pictures in ../photos."""
    shots = shoot(numbered("photos/{:03d}.png"))
    document = write_transforms(folder, shots)
    (folder / "transforms.json").unlink()
    for frame in document["frames"]:
        frame["file_path"] = "../" + frame["file_path"]
    write_json(folder / "ngp/transforms.json", document)
    return folder / "ngp", shots.truth()


@case("Pictures beside the scene's folder, trusted", follow_links=True)
def parent_paths_trusted(folder: Path) -> tuple[Path, Truth]:
    return _beside(folder)


@case("Pictures beside the scene's folder, not trusted")
def parent_paths(folder: Path) -> tuple[Path, Truth]:
    return _beside(folder)[0], refusal("transforms.json", "--follow-links")


def _linked(folder: Path) -> tuple[Path, Truth]:
    shots = _shots()
    write_transforms(folder / "scene", shots)
    (folder / "scene/images").rename(folder / "elsewhere")
    (folder / "scene/images").symlink_to(folder / "elsewhere")
    return folder / "scene", shots.truth()


@case("images/ is a symbolic link, trusted", follow_links=True)
def linked_images_trusted(folder: Path) -> tuple[Path, Truth]:
    return _linked(folder)


@case("images/ is a symbolic link, not trusted")
def linked_images(folder: Path) -> tuple[Path, Truth]:
    return _linked(folder)[0], refusal("transforms.json", "--follow-links")


@case("nerfstudio's sparse_pc.ply beside the camera file")
def sparse_pc_ply(folder: Path) -> tuple[Path, Truth]:
    shots = _shots()
    write_transforms(folder, shots)
    write_points(folder / "sparse_pc.ply", surface_points())
    return folder, shots.truth(mentions=("400 points",))


@case("Points named by ply_file_path")
def ply_file_path(folder: Path) -> tuple[Path, Truth]:
    shots = _shots()
    write_transforms(folder, shots, ply_file_path="cloud.ply")
    write_points(folder / "cloud.ply", surface_points())
    return folder, shots.truth(mentions=("400 points",))


@case("A JSON file that is cut off")
def truncated_json(folder: Path) -> tuple[Path, Truth]:
    write_transforms(folder, _shots())
    file = folder / "transforms.json"
    file.write_text(file.read_text()[:900])
    return folder, refusal("transforms.json")


@case("A folder with nothing in it")
def empty_folder(folder: Path) -> tuple[Path, Truth]:
    (folder / "nothing").mkdir()
    return folder / "nothing", refusal("nothing", "--scene")


@case("A scene's folder of a name that does not exist")
def missing_folder(folder: Path) -> tuple[Path, Truth]:
    shutil.rmtree(folder / "gone", ignore_errors=True)
    return folder / "gone", refusal("gone", "--scene")


CASES = collect(globals())
