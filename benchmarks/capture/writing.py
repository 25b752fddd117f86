"""Writes pictures and the files of each format that give their cameras."""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from capture.case import Picture, Truth, truth_of
from capture.lenses import Camera, Floats
from capture.world import Bytes, Shown, over, picture, ring, room, to_bytes

DEFAULT = Camera()

LOSSY = 0.02
"""Largest mean difference of values that JPEG and WebP leave."""


@dataclass
class Shots:
    """Views of the world, with what is written of each and what is true of it."""

    names: list[str]
    poses: list[Floats]
    cameras: list[Camera]
    pixels: list[Bytes]
    pictures: list[Picture] = field(default_factory=list)

    def truth(self, **changes: Any) -> Truth:
        error = LOSSY if any(n.lower().endswith(("jpg", "webp")) for n in self.names) else 0.004
        return Truth(tuple(self.pictures), **({"value_error": error} | changes))


def shoot(
    names: Sequence[str],
    poses: Sequence[Floats] | None = None,
    camera: Camera | Callable[[int], Camera] = DEFAULT,
    backdrop: float | tuple[float, float, float] | None = None,
    alpha: bool = False,
    world: Callable[[Floats, Camera], Shown] = picture,
) -> Shots:
    """Takes pictures of the world before a blurred room, a plain backdrop, or with alphas.

    Pictures with alphas are read over white.
    """
    poses = list(ring(len(names)) if poses is None else poses)
    cameras = [camera(view) if callable(camera) else camera for view in range(len(poses))]
    shots = Shots(list(names), poses, cameras, [])
    for name, pose, own in zip(names, poses, cameras, strict=True):
        shown = _taken(world, pose.tobytes(), own)
        if alpha:
            stored = to_bytes(shown.rgba)
            read = stored[..., :3] / 255 * (stored[..., 3:] / 255) + 1 - stored[..., 3:] / 255
        else:
            behind = room(pose, own) if backdrop is None else np.array(backdrop)
            stored = to_bytes(over(shown, behind))
            read = stored / 255
        shots.pixels.append(stored)
        shots.pictures.append(truth_of(name, pose, own, read, shown))
    return shots


@lru_cache(maxsize=512)
def _taken(world: Callable[[Floats, Camera], Shown], pose: bytes, camera: Camera) -> Shown:
    """A picture of the world; most captures have the same ones."""
    return world(np.frombuffer(pose).reshape(4, 4), camera)


def numbered(pattern: str, count: int = 24) -> list[str]:
    """Names by a format such as `images/{:03d}.png`."""
    return [pattern.format(view) for view in range(count)]


def save(path: Path, pixels: Bytes, **options: Any) -> None:
    """Writes an image; JPEG and WebP in good quality."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix.lower() in (".jpg", ".jpeg", ".webp"):
        options = {"quality": 95} | options
    Image.fromarray(pixels).save(path, **options)


def save_all(folder: Path, shots: Shots) -> None:
    """Writes the pictures of all views by their names."""
    for name, pixels in zip(shots.names, shots.pixels, strict=True):
        save(folder / name, pixels)


def save_16_bits(path: Path, values: Floats) -> None:
    """Writes an RGB PNG of 16 bits, which Pillow does not write."""
    path.parent.mkdir(parents=True, exist_ok=True)
    deep = (values * 65535).round().astype(">u2")
    height, width = deep.shape[:2]
    rows = b"".join(b"\0" + row.tobytes() for row in deep)
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    content = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + content)


def camera_keys(camera: Camera, scale: float = 1.0) -> dict[str, float]:
    """Size, focal lengths and principal point by the names of transforms.json."""
    x, y = camera.middle
    values = (camera.width, camera.height, *camera.focal, x, y)
    return {
        k: v * scale for k, v in zip(("w", "h", "fl_x", "fl_y", "cx", "cy"), values, strict=True)
    }


def frames(shots: Shots, views: Sequence[int] | None = None) -> list[dict[str, Any]]:
    """The entries of `frames`."""
    chosen = range(len(shots.names)) if views is None else views
    return [
        {"file_path": shots.names[view], "transform_matrix": shots.poses[view].tolist()}
        for view in chosen
    ]


def write_json(path: Path, document: Mapping[str, Any]) -> Path:
    """Writes a camera file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False), encoding="utf-8")
    return path


def write_transforms(folder: Path, shots: Shots, **keys: Any) -> dict[str, Any]:
    """Writes transforms.json and the pictures; returns the document. Keys given as None go."""
    save_all(folder, shots)
    document = {**camera_keys(shots.cameras[0]), "frames": frames(shots), **keys}
    document = {key: value for key, value in document.items() if value is not None}
    write_json(folder / "transforms.json", document)
    return document


def write_blender(
    folder: Path,
    shots: Shots,
    parts: Mapping[str, Sequence[int]],
    keys: Mapping[str, Any] | None = None,
) -> None:
    """Writes transforms_{train,val,test}.json and the pictures."""
    save_all(folder, shots)
    camera = shots.cameras[0]
    angle = {"camera_angle_x": 2 * math.atan(camera.width / 2 / camera.focal[0])}
    for part, views in parts.items():
        document = {**(angle if keys is None else keys), "frames": frames(shots, views)}
        write_json(folder / f"transforms_{part}.json", document)


def write_llff(
    folder: Path,
    shots: Shots,
    near: Sequence[float],
    far: Sequence[float],
    swapped: bool = False,
    scale: int = 1,
) -> None:
    """Writes poses_bounds.npy: down, right, back, position and size of each view, two depths."""
    rows = []
    for pose, camera, low, high in zip(shots.poses, shots.cameras, near, far, strict=False):
        size = [camera.height, camera.width, camera.focal[0]]
        size = [side * scale for side in (size[1::-1] + size[2:] if swapped else size)]
        matrix = np.stack([-pose[:3, 1], pose[:3, 0], pose[:3, 2], pose[:3, 3], size], axis=1)
        rows.append([*matrix.ravel(), low, high])
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "poses_bounds.npy", np.array(rows))


def write_points(path: Path, points: Floats) -> None:
    """Writes a binary PLY file of points with colours, as nerfstudio does."""
    header = (
        f"ply\nformat binary_little_endian 1.0\nelement vertex {len(points)}\n"
        "property float x\nproperty float y\nproperty float z\n"
        "property uint8 red\nproperty uint8 green\nproperty uint8 blue\nend_header\n"
    )
    body = b"".join(struct.pack("<3f3B", *point, 90, 90, 90) for point in points)
    path.write_bytes(header.encode() + body)
