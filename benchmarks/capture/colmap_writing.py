"""Writes COLMAP's reconstructions, binary and as text."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from capture.lenses import Camera, Floats
from capture.world import surface_points
from capture.writing import Shots

MODELS = {
    "SIMPLE_PINHOLE": 0,
    "PINHOLE": 1,
    "SIMPLE_RADIAL": 2,
    "RADIAL": 3,
    "OPENCV": 4,
    "OPENCV_FISHEYE": 5,
    "FULL_OPENCV": 6,
    "FOV": 7,
    "SIMPLE_RADIAL_FISHEYE": 8,
    "RADIAL_FISHEYE": 9,
    "THIN_PRISM_FISHEYE": 10,
    "SIMPLE_FISHEYE": 14,
    "FISHEYE": 15,
    "EQUIRECTANGULAR": 17,
}
"""COLMAP's numbers of its camera models."""

Model = Callable[[Camera], tuple[str, tuple[float, ...]]]
"""Gives COLMAP's name and parameters of a camera."""


@dataclass(frozen=True)
class _Reconstruction:
    """What is written of some views; `cameras` gives the number of each camera, from 1."""

    shots: Shots
    views: Sequence[int]
    cameras: Mapping[Camera, int]
    model: Model
    points: Floats


def pinhole(camera: Camera) -> tuple[str, tuple[float, ...]]:
    """COLMAP's model and parameters of a camera without distortion."""
    return "PINHOLE", (*camera.focal, *camera.middle)


def write_colmap(
    sparse: Path,
    shots: Shots,
    views: Sequence[int] | None = None,
    model: Model = pinhole,
    text: bool = False,
    points: Floats | None = None,
) -> None:
    """Writes a reconstruction with a camera for each size and points that all views observe.

    Names are without the folder `images/`.
    """
    sparse.mkdir(parents=True, exist_ok=True)
    chosen = list(range(len(shots.names)) if views is None else views)
    cameras: dict[Camera, int] = {}
    for view in chosen:
        cameras.setdefault(shots.cameras[view], len(cameras) + 1)
    points = surface_points() if points is None else points
    reconstruction = _Reconstruction(shots, chosen, cameras, model, points)
    write = _write_text if text else _write_binary
    write(sparse, reconstruction)


def _write_binary(sparse: Path, written: _Reconstruction) -> None:
    shots, views, points = written.shots, written.views, written.points
    content = struct.pack("<Q", len(written.cameras))
    for camera, number in written.cameras.items():
        name, values = written.model(camera)
        content += struct.pack("<iiQQ", number, MODELS[name], camera.width, camera.height)
        content += struct.pack(f"<{len(values)}d", *values)
    (sparse / "cameras.bin").write_bytes(content)
    content = struct.pack("<Q", len(views))
    for view in views:
        pose = cam_from_world(shots.poses[view])
        number = written.cameras[shots.cameras[view]]
        content += struct.pack("<i7di", view + 1, *pose, number)
        content += _short(shots.names[view]).encode() + b"\0" + struct.pack("<Q", 0)
    (sparse / "images.bin").write_bytes(content)
    content = struct.pack("<Q", len(points))
    track = b"".join(struct.pack("<ii", view + 1, 0) for view in views)
    for index, point in enumerate(points):
        content += struct.pack("<Q3d3BdQ", index + 1, *point, 90, 90, 90, 0.4, len(views)) + track
    (sparse / "points3D.bin").write_bytes(content)


def _write_text(sparse: Path, written: _Reconstruction) -> None:
    shots, views, points = written.shots, written.views, written.points
    lines = ["# Camera list"]
    for camera, number in written.cameras.items():
        name, values = written.model(camera)
        lines.append(" ".join(map(str, (number, name, camera.width, camera.height, *values))))
    (sparse / "cameras.txt").write_text("\n".join(lines) + "\n")
    lines = ["# Image list, two lines each"]
    for view in views:
        pose = " ".join(map(repr, map(float, cam_from_world(shots.poses[view]))))
        number = written.cameras[shots.cameras[view]]
        lines += [f"{view + 1} {pose} {number} {_short(shots.names[view])}", ""]
    (sparse / "images.txt").write_text("\n".join(lines) + "\n")
    track = " ".join(f"{view + 1} 0" for view in views)
    lines = ["# Points"]
    for index, point in enumerate(points):
        position = " ".join(map(str, point))
        lines.append(f"{index + 1} {position} 90 90 90 0.4 {track}")
    (sparse / "points3D.txt").write_text("\n".join(lines) + "\n")


def _short(name: str) -> str:
    return name.removeprefix("images/")


def cam_from_world(pose: Floats) -> tuple[float, ...]:
    """COLMAP's quaternion (w, x, y, z) and translation of a pose."""
    from scipy.spatial.transform import Rotation

    rotation = (pose[:3, :3] * (1.0, -1.0, -1.0)).T  # COLMAP's y points down, z forward
    x, y, z, w = Rotation.from_matrix(rotation).as_quat()
    return (w, x, y, z, *(-rotation @ pose[:3, 3]))
