"""Writes small valid scenes in every format: the same eight cameras and the same images."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from nerf.scenes.builtin import bricks
from nerf.scenes.formats.camera_models import COLMAP_MODELS

VIEWS, WIDTH, HEIGHT, FOCAL = 8, 12, 10, 15.0
NAMES = [f"{view:02d}.png" for view in range(VIEWS)]
LENS = (0.05, -0.02, 0.001, -0.002)


def poses() -> np.ndarray:
    return bricks.camera_poses(VIEWS).astype(np.float64)


def pixels() -> np.ndarray:
    """Bytes (views, height, width, 4), alpha not premultiplied: a bright disc on nothing."""
    draw = np.random.default_rng(5)
    x, y = np.meshgrid(np.arange(WIDTH) + 0.5 - WIDTH / 2, np.arange(HEIGHT) + 0.5 - HEIGHT / 2)
    rgba = draw.integers(60, 256, (VIEWS, HEIGHT, WIDTH, 4)).astype(np.uint8)
    rgba[..., 3] = 255 * (np.hypot(x, y) < 3)
    return rgba


def points() -> np.ndarray:
    """Points (30, 3) around the origin, where every camera sees them."""
    return np.random.default_rng(6).uniform(-0.7, 0.7, (30, 3))


def write_images(folder: Path, mode: str = "RGB", names: list[str] = NAMES) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, rgba in zip(names, pixels(), strict=True):
        Image.fromarray(rgba, "RGBA").convert(mode).save(folder / name)


def write_tiny_nerf(folder: Path, **changes: Any) -> Path:
    """Writes a scene with some arrays replaced, or left out where given as None."""
    folder.mkdir(parents=True, exist_ok=True)
    images = pixels()[..., :3] * (pixels()[..., 3:] // 255)
    arrays = {"images": images, "poses": poses(), "focal": np.array(FOCAL), **changes}
    written = {key: value for key, value in arrays.items() if value is not None}
    np.savez_compressed(folder / "scene.npz", **written)
    return folder / "scene.npz"


def write_blender(folder: Path) -> Path:
    write_images(folder / "all", "RGBA")
    parts = {"train": range(6), "val": range(6, 7), "test": range(7, 8)}
    for split, views in parts.items():
        document = {
            "camera_angle_x": 2 * np.arctan(WIDTH / 2 / FOCAL),
            "frames": [
                {"file_path": f"./all/{view:02d}", "transform_matrix": poses()[view].tolist()}
                for view in views
            ],
        }
        (folder / f"transforms_{split}.json").write_text(json.dumps(document))
    return folder


def write_instant_ngp(folder: Path, lens: tuple[float, ...] = LENS) -> Path:
    write_images(folder / "images")
    document = {
        "fl_x": FOCAL,
        "fl_y": FOCAL + 1,
        "cx": WIDTH / 2 + 0.5,
        "cy": HEIGHT / 2 - 0.25,
        "w": float(WIDTH),
        "h": float(HEIGHT),
        **dict(zip(("k1", "k2", "p1", "p2"), lens, strict=True)),
        "frames": [
            {"file_path": f"images/{name}", "transform_matrix": pose.tolist()}
            for name, pose in zip(NAMES, poses(), strict=True)
        ],
    }
    (folder / "transforms.json").write_text(json.dumps(document))
    return folder


def write_instant_ngp_jpeg(folder: Path) -> Path:
    """Writes the scene of `write_instant_ngp` with JPEG files."""
    write_instant_ngp(folder)
    for index, name in enumerate(NAMES):
        png = folder / "images" / name
        Image.open(png).save(png.with_suffix(".jpg"))
        png.unlink()
        edit_frame(folder / "transforms.json", index, file_path=f"images/{png.stem}.jpg")
    return folder


def edit_json(file: Path, **changes: Any) -> None:
    """Sets keys of the object in a JSON file; removes those given as None."""
    document = {**json.loads(file.read_text()), **changes}
    file.write_text(json.dumps({k: v for k, v in document.items() if v is not None}))


def edit_frame(file: Path, index: int, **changes: Any) -> None:
    """Sets keys of one of `frames` in a JSON file; removes those given as None."""
    frames = json.loads(file.read_text())["frames"]
    frames[index] = {k: v for k, v in {**frames[index], **changes}.items() if v is not None}
    edit_json(file, frames=frames)


def quaternion(rotation: np.ndarray) -> np.ndarray:
    """(w, x, y, z) of a rotation: the eigenvector of its symmetric 4 x 4 matrix (Bar-Itzhack)."""
    (a, b, c), (d, e, f), (g, h, i) = rotation
    matrix = np.array(
        [
            [a + e + i, h - f, c - g, d - b],
            [h - f, a - e - i, b + d, c + g],
            [c - g, b + d, e - a - i, f + h],
            [d - b, c + g, f + h, i - a - e],
        ]
    )
    return np.linalg.eigh(matrix)[1][:, -1]


def extrinsics() -> list[tuple[np.ndarray, np.ndarray]]:
    """COLMAP's cam_from_world of each view: quaternion and translation, y down, z forward."""
    cameras = []
    for pose in poses():
        rotation = (pose[:3, :3] * (1, -1, -1)).T
        cameras.append((quaternion(rotation), -rotation @ pose[:3, 3]))
    return cameras


def parameters(model: str) -> tuple[float, ...]:
    """The parameters of a camera of one of COLMAP's models, in COLMAP's order."""
    centre = (WIDTH / 2, HEIGHT / 2)
    return {
        "SIMPLE_PINHOLE": (FOCAL, *centre),
        "PINHOLE": (FOCAL, FOCAL + 1, *centre),
        "SIMPLE_RADIAL": (FOCAL, *centre, LENS[0]),
        "RADIAL": (FOCAL, *centre, *LENS[:2]),
        "OPENCV": (FOCAL, FOCAL + 1, *centre, *LENS),
        "FULL_OPENCV": (FOCAL, FOCAL + 1, *centre, *LENS, 0.01, 0.02, -0.01, 0.003),
        "SIMPLE_RADIAL_FISHEYE": (FOCAL, *centre, LENS[0]),
        "RADIAL_FISHEYE": (FOCAL, *centre, *LENS[:2]),
        "OPENCV_FISHEYE": (FOCAL, FOCAL + 1, *centre, 0.03, 0.005, 0.0007, 0.0001),
        "SIMPLE_FISHEYE": (FOCAL, *centre),
        "FISHEYE": (FOCAL, FOCAL + 1, *centre),
        "EQUIRECTANGULAR": (float(WIDTH), float(HEIGHT)),
    }[model]


def track(index: int) -> tuple[int, int]:
    """The two views that see a point; the last view sees none."""
    return index % (VIEWS - 1), (index + 3) % (VIEWS - 1)


def features(view: int) -> list[int]:
    """The points that a view sees, in the order of its features."""
    return [index for index in range(len(points())) if view in track(index)]


def track_numbers(index: int) -> list[int]:
    """As COLMAP writes a track: image, feature, image, feature."""
    return [n for view in track(index) for n in (view + 1, features(view).index(index))]


def write_colmap(folder: Path, model: str = "OPENCV", text: bool = False) -> Path:
    write_images(folder / "images")
    sparse = folder / "sparse" / "0"
    sparse.mkdir(parents=True)
    (_colmap_text if text else _colmap_binary)(sparse, model)
    return folder


def write_colmap_text(folder: Path) -> Path:
    return write_colmap(folder, text=True)


def _colmap_binary(sparse: Path, model: str) -> None:
    values = parameters(model)
    camera = struct.pack("<iiQQ", 7, COLMAP_MODELS[model].number, WIDTH, HEIGHT)
    camera += struct.pack(f"<{len(values)}d", *values)
    (sparse / "cameras.bin").write_bytes(struct.pack("<Q", 1) + camera)
    content = struct.pack("<Q", VIEWS)
    for view, (turn, shift) in enumerate(extrinsics()):
        content += struct.pack("<i7di", view + 1, *turn, *shift, 7) + NAMES[view].encode() + b"\0"
        content += struct.pack("<Q", len(features(view)))
        for index in features(view):
            content += struct.pack("<2dq", 3.0, 4.0, index + 1)
    (sparse / "images.bin").write_bytes(content)
    content = struct.pack("<Q", len(points()))
    for index, point in enumerate(points()):
        content += struct.pack("<Q3d3Bd", index + 1, *point, 1, 2, 3, 0.5)
        content += struct.pack("<Q4I", 2, *track_numbers(index))
    (sparse / "points3D.bin").write_bytes(content)


def _colmap_text(sparse: Path, model: str) -> None:
    def words(*values: Any) -> str:
        return " ".join(map(str, values)) + "\n"

    camera = words(7, model, WIDTH, HEIGHT, *parameters(model))
    (sparse / "cameras.txt").write_text("# cameras\n" + camera)
    lines = [
        words(view + 1, *turn, *shift, 7, NAMES[view])
        + words(*(f"3.0 4.0 {index + 1}" for index in features(view)))
        for view, (turn, shift) in enumerate(extrinsics())
    ]
    (sparse / "images.txt").write_text("# images\n" + "".join(lines))
    lines = [
        words(index + 1, *point, 1, 2, 3, 0.5, *track_numbers(index))
        for index, point in enumerate(points())
    ]
    (sparse / "points3D.txt").write_text("# points\n" + "".join(lines))


def llff_table() -> np.ndarray:
    """(views, 17): columns down, right, back, position, (height, width, focal); near, far."""
    table = np.empty((VIEWS, 17))
    for view, pose in enumerate(poses()):
        right, up, back, position = pose[:3].T
        size = np.array([HEIGHT, WIDTH, FOCAL])
        table[view, :15] = np.stack([-up, right, back, position, size], axis=1).reshape(-1)
        table[view, 15:] = 3.0, 5.0
    return table


def write_llff(folder: Path) -> Path:
    write_images(folder / "images")
    np.save(folder / "poses_bounds.npy", llff_table())
    return folder


WRITERS: dict[str, Callable[[Path], Path]] = {
    "tiny-NeRF": write_tiny_nerf,
    "Blender": write_blender,
    "instant-ngp": write_instant_ngp,
    "COLMAP": write_colmap,
    "COLMAP text": write_colmap_text,
    "LLFF": write_llff,
}
"""Writes a scene of each format to a folder, and returns the path to load."""
