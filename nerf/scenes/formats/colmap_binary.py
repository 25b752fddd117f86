"""Reads COLMAP's binary files: cameras.bin, images.bin and points3D.bin.

COLMAP's own reader runs for hours or aborts the process on a truncated file; this one checks every
count against the bytes that are left. Formats: https://colmap.github.io/format.html.

In struct's letters, little-endian: i int32, I uint32, Q uint64, d float64, B uint8.
"""

from __future__ import annotations

import struct
from pathlib import Path

from nerf.scenes.formats.camera_models import COLMAP_MODELS, OTHER_COLMAP_MODELS
from nerf.scenes.formats.colmap_records import (
    Camera,
    Image,
    Points,
    check_view_count,
    parameter_count,
)
from nerf.scenes.formats.scene_checks import scene_error

_MAX_NAME_BYTES = 4096


class _Bytes:
    """A cursor over a file's bytes that raises `InputError` instead of reading past the end."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.position = 0
        try:
            self.content = file.read_bytes()
        except OSError as error:
            raise scene_error(file, f"cannot be read ({error.strerror})") from None

    def take(self, layout: str) -> tuple[int | float, ...]:
        """The values of a struct layout, little-endian."""
        self.require(size := struct.calcsize("<" + layout))
        values = struct.unpack_from("<" + layout, self.content, self.position)
        self.position += size
        return values

    def count(self, min_record_bytes: int) -> int:
        """A number of records to follow, each of at least that many bytes."""
        (count,) = self.take("Q")
        self.require(int(count) * min_record_bytes)
        return int(count)

    def text(self) -> str:
        """A string that ends in a zero byte."""
        end = self.content.find(b"\0", self.position, self.position + _MAX_NAME_BYTES)
        if end < 0:
            raise scene_error(self.file, "has a file name without an end")
        name = self.content[self.position : end].decode("utf-8", "replace")
        self.position = end + 1
        return name

    def skip(self, size: int) -> None:
        self.require(size)
        self.position += size

    def require(self, size: int) -> None:
        left = len(self.content) - self.position
        if size > left:
            raise scene_error(
                self.file,
                f"is truncated: {size} bytes expected at {self.position}, {left} left; copy it "
                "again",
            )


def binary_cameras(file: Path) -> dict[int, Camera]:
    """Cameras by id."""
    data = _Bytes(file)
    cameras = {}
    for _ in range(data.count(24)):
        key, model_id, width, height = (int(value) for value in data.take("iiQQ"))
        model = _model_name(model_id)
        count = parameter_count(data.file, model)
        cameras[key] = Camera(model, width, height, data.take(f"{count}d"))
    return cameras


def binary_images(file: Path) -> dict[int, Image]:
    """Registered images by id."""
    data = _Bytes(file)
    images = {}
    for _ in range(check_view_count(data.file, data.count(73))):
        # Image id, quaternion and translation, camera id; then the name.
        key, *pose, camera = data.take("i7di")
        name = data.text()
        data.skip(24 * data.count(24))  # features: x, y, id of the point
        images[int(key)] = Image(name, int(camera), tuple(pose[:4]), tuple(pose[4:]))
    return images


def binary_points(file: Path) -> Points:
    """Points and who observes them."""
    data = _Bytes(file)
    points, observations = [], []
    for index in range(data.count(51)):
        _id, *position, _red, _green, _blue, _error = data.take("Q3d3Bd")
        points.append(tuple(position))
        track_length = data.count(8)
        images = data.take(f"{2 * track_length}I")[::2]  # image id, feature index, image id, ...
        observations += [(int(image), index) for image in images]
    return points, observations


def _model_name(number: int) -> str:
    names = {model.number: name for name, model in COLMAP_MODELS.items()} | OTHER_COLMAP_MODELS
    return names.get(number, f"number {number}")
