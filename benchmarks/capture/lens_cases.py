"""Lenses of every model, as transforms.json and COLMAP give them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from capture.case import Case, Truth, case, collect, refusal
from capture.colmap_writing import write_colmap
from capture.lenses import Camera
from capture.world import forward, outward, room_points, wall_picture
from capture.writing import (
    camera_keys,
    numbered,
    save_all,
    shoot,
    write_blender,
    write_transforms,
)

SMALL = {"width": 96, "height": 72}
FISHEYE = Camera(focal=(58.0, 58.0), lens="fisheye", k=(0.03, 0.005, 0.0007, 0.0001))
FULL = Camera(focal=(112.0, 109.0), centre=(49.0, 35.0), k=(0.6, 0.3, 0.05, 0.9, 0.2, 0.01))


def _json(folder: Path, camera: Camera, **keys: Any) -> tuple[Path, Truth]:
    shots = shoot(numbered("images/{:03d}.png"), camera=camera)
    write_transforms(folder, shots, **keys)
    return folder, shots.truth()


@case("k1 to k3 of a photogrammetry program")
def three_radial_coefficients(folder: Path) -> tuple[Path, Truth]:
    camera = Camera(k=(-0.14, 0.1, -0.04), p=(0.0008, -0.0005))
    keys = {"k1": -0.14, "k2": 0.1, "k3": -0.04, "p1": 0.0008, "p2": -0.0005}
    return _json(folder, camera, camera_model="OPENCV", **keys)


@case("k4 of nerfstudio, the coefficient of r^8")
def fourth_radial_coefficient(folder: Path) -> tuple[Path, Truth]:
    camera = Camera(k=(-0.1, 0.08, -0.05), k_r8=0.3)
    return _json(folder, camera, camera_model="OPENCV", k1=-0.1, k2=0.08, k3=-0.05, k4=0.3)


@case("OpenCV's rational model, k1 to k6")
def full_opencv_json(folder: Path) -> tuple[Path, Truth]:
    keys = {f"k{i + 1}": value for i, value in enumerate(FULL.k)}
    return _json(folder, FULL, camera_model="FULL_OPENCV", **keys)


@case("Coefficients in nerfstudio's list distortion_params")
def distortion_params_list(folder: Path) -> tuple[Path, Truth]:
    camera = Camera(k=(-0.12, 0.06), p=(0.001, 0.0015))
    listed = [-0.12, 0.06, 0.0, 0.0, 0.001, 0.0015]
    return _json(folder, camera, camera_model="OPENCV", distortion_params=listed)


@case("nerfstudio's OPENCV_FISHEYE")
def fisheye_json(folder: Path) -> tuple[Path, Truth]:
    keys = {f"k{i + 1}": value for i, value in enumerate(FISHEYE.k)}
    return _json(folder, FISHEYE, camera_model="OPENCV_FISHEYE", **keys)


@case("instant-ngp's flag is_fisheye")
def fisheye_flag(folder: Path) -> tuple[Path, Truth]:
    keys = {f"k{i + 1}": value for i, value in enumerate(FISHEYE.k)}
    return _json(folder, FISHEYE, is_fisheye=True, **keys)


@case("The camera model SIMPLE_RADIAL in a transforms.json")
def simple_radial_json(folder: Path) -> tuple[Path, Truth]:
    return _json(folder, Camera(k=(0.07,)), camera_model="SIMPLE_RADIAL", k1=0.07)


@case("A lens for each frame")
def lens_of_each_frame(folder: Path) -> tuple[Path, Truth]:
    def own(view: int) -> Camera:
        return Camera(focal=(105.0 + view % 5, 104.0 + view % 3), k=(0.01 * (view % 4),))

    shots = shoot(numbered("images/{:03d}.png"), camera=own)
    document = write_transforms(folder, shots)
    frames = [
        {**frame, **camera_keys(camera), "k1": camera.k[0]}
        for frame, camera in zip(document["frames"], shots.cameras, strict=True)
    ]
    write_transforms(folder, shots, frames=frames, fl_x=None, fl_y=None, cx=None, cy=None)
    return folder, shots.truth()


def _panorama(width: int = 144) -> Camera:
    return Camera(width, width // 2, (width / 2 / math.pi,) * 2, lens="equirectangular")


@case("360-degree panoramas in nerfstudio's convention, fl_x = w / 2 and fl_y = h")
def panoramas_json(folder: Path) -> tuple[Path, Truth]:
    camera = _panorama()
    shots = shoot(numbered("images/{:03d}.png"), outward(), camera, world=wall_picture)
    keys = {"fl_x": camera.width / 2, "fl_y": camera.height}
    write_transforms(folder, shots, camera_model="EQUIRECTANGULAR", **keys)
    return folder, shots.truth()


@case("A filmed capture in Blender's layout with focal lengths, principal point and distortion")
def blender_real_lens(folder: Path) -> tuple[Path, Truth]:
    camera = Camera(focal=(101.0, 103.0), centre=(51.0, 33.5), k=(0.16, -0.05))
    shots = shoot(numbered("shots/{:05d}.jpg"), camera=camera)
    angle = 2 * math.atan(camera.width / 2 / camera.focal[0])
    lens = {"k1": 0.16, "k2": -0.05, "p1": 0, "p2": 0}
    keys = {**camera_keys(camera), **lens, "camera_angle_x": angle}
    parts = {"train": range(18), "test": range(18, 24)}
    write_blender(folder, shots, parts, keys)
    held = frozenset(shots.names[18:])
    return folder, shots.truth(held_out=held, test=held)


def _colmap_case(model: str, camera: Camera, values: tuple[float, ...]) -> Case:
    """A capture whose reconstruction has this model; `values` are COLMAP's parameters."""

    def write(folder: Path) -> tuple[Path, Truth]:
        panorama = camera.lens == "equirectangular"
        poses = outward() if panorama else None
        world = {"world": wall_picture} if panorama else {}
        shots = shoot(numbered("images/{:03d}.png"), poses, camera, **world)
        save_all(folder, shots)
        points = room_points() if panorama else None
        write_colmap(folder / "sparse/0", shots, model=lambda _: (model, values), points=points)
        return folder, shots.truth()

    return Case(f"colmap {model}", f"COLMAP's camera model {model}", write)


def _colmap_cases() -> list[Case]:
    one, two, middle = (110.0,) * 2, (112.0, 109.0), (49.0, 35.0)
    lens = (0.05, -0.02, 0.001, -0.0015)
    wide, fish = (58.0, 58.0), (60.0, 58.0)

    def camera(focal: tuple[float, float], *k: float, **more: Any) -> Camera:
        return Camera(focal=focal, centre=middle, k=k, **more)

    tangential = {"p": lens[2:]}
    bent: dict[str, Any] = {"lens": "fisheye"}
    full = (0.6, 0.3, *lens[2:], 0.05, 0.9, 0.2, 0.01)
    return [
        _colmap_case("SIMPLE_PINHOLE", camera(one), (110.0, *middle)),
        _colmap_case("PINHOLE", camera(two), (*two, *middle)),
        _colmap_case("SIMPLE_RADIAL", camera(one, 0.08), (110.0, *middle, 0.08)),
        _colmap_case("RADIAL", camera(one, 0.1, -0.04), (110.0, *middle, 0.1, -0.04)),
        _colmap_case("OPENCV", camera(two, *lens[:2], **tangential), (*two, *middle, *lens)),
        _colmap_case(
            "FULL_OPENCV",
            camera(two, 0.6, 0.3, 0.05, 0.9, 0.2, 0.01, **tangential),
            (*two, *middle, *full),
        ),
        _colmap_case(
            "OPENCV_FISHEYE", camera(fish, *FISHEYE.k, **bent), (*fish, *middle, *FISHEYE.k)
        ),
        _colmap_case("SIMPLE_RADIAL_FISHEYE", camera(wide, 0.04, **bent), (58.0, *middle, 0.04)),
        _colmap_case(
            "RADIAL_FISHEYE", camera(wide, 0.04, 0.005, **bent), (58.0, *middle, 0.04, 0.005)
        ),
        _colmap_case("SIMPLE_FISHEYE", camera(wide, **bent), (58.0, *middle)),
        _colmap_case("FISHEYE", camera(fish, **bent), (*fish, *middle)),
        _colmap_case("EQUIRECTANGULAR", _panorama(), (144.0, 72.0)),
    ]


def _refused_model(model: str, values: tuple[float, ...]) -> Case:
    def write(folder: Path) -> tuple[Path, Truth]:
        shots = shoot(numbered("images/{:03d}.png", 8), forward(8))
        save_all(folder, shots)
        write_colmap(folder / "sparse/0", shots, model=lambda _: (model, values))
        return folder, refusal("cameras.bin", model, "undistort")

    return Case(f"colmap {model}", f"COLMAP's camera model {model}, which is not read", write)


CASES = [
    *collect(globals()),
    *_colmap_cases(),
    _refused_model("FOV", (110.0, 110.0, 48.0, 36.0, 0.5)),
    _refused_model("THIN_PRISM_FISHEYE", (58.0, 58.0, 48.0, 36.0, *[0.001] * 8)),
]
