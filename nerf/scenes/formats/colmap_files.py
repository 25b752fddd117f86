"""Reads COLMAP's sparse reconstructions, binary or text, safe against damaged or forged files.

COLMAP's own reader runs for hours or aborts the process on a truncated file; this one checks every
count against the bytes that are left. Formats: https://colmap.github.io/format.html.

In struct's letters, little-endian: i int32, I uint32, Q uint64, d float64, B uint8.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.formats.scene_checks import MAX_COORDINATE, MAX_VIEWS, scene_error
from nerf.scenes.formats.untrusted_files import regular_file

MODELS = {
    "SIMPLE_PINHOLE": (0, 3),
    "PINHOLE": (1, 4),
    "SIMPLE_RADIAL": (2, 4),
    "RADIAL": (3, 5),
    "OPENCV": (4, 8),
}
"""Camera models that are supported: COLMAP's id of each, and its number of parameters."""

MAX_BYTES = 2**31
_MAX_NAME_BYTES = 4096


@dataclass(frozen=True)
class Camera:
    model: str
    width: int
    height: int
    parameters: tuple[float, ...]


@dataclass(frozen=True)
class Image:
    """A registered image: `rotation` (w, x, y, z) and `translation` are cam_from_world."""

    name: str
    camera: int
    rotation: tuple[float, ...]
    translation: tuple[float, ...]


@dataclass(frozen=True)
class Reconstruction:
    """Cameras and images by COLMAP's id, points, and which image observes which point.

    points: (n, 3)
    observations: (m, 2), an image's id and a row of `points` each
    """

    cameras: dict[int, Camera]
    images: dict[int, Image]
    points: NDArray[np.float64]
    observations: NDArray[np.int64]


Points = tuple[list[tuple[float, ...]], list[tuple[int, int]]]
"""Positions of points, and pairs (image's id, index of the point)."""


def read_reconstruction(folder: Path) -> Reconstruction:
    """Reads a reconstruction; raises `InputError` for truncated, absurd or unsupported files."""
    if (folder / "cameras.bin").exists():
        cameras = _binary_cameras(_Bytes(folder / "cameras.bin"))
        images = _binary_images(_Bytes(folder / "images.bin"))
        points, observations = _binary_points(_Bytes(folder / "points3D.bin"))
    else:
        cameras = _text_cameras(folder / "cameras.txt")
        images = _text_images(folder / "images.txt")
        points, observations = _text_points(folder / "points3D.txt")
    for image in images.values():
        if image.camera not in cameras:
            raise scene_error(
                folder, f"image {image.name!r} has camera {image.camera}, which is missing"
            )
    positions = np.array(points, np.float64).reshape(-1, 3)
    if not (np.abs(positions) < MAX_COORDINATE).all():
        raise scene_error(
            folder, f"a point of the reconstruction is NaN or beyond {MAX_COORDINATE:g}"
        )
    pairs = np.array(observations, np.int64).reshape(-1, 2)
    return Reconstruction(cameras, images, positions, pairs)


def _check_file(file: Path) -> None:
    if regular_file(file).stat().st_size > MAX_BYTES:
        raise scene_error(file, f"is larger than {MAX_BYTES // 2**30} GiB")


class _Bytes:
    """A cursor over a file's bytes that raises `InputError` instead of reading past the end."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.position = 0
        _check_file(file)
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


def _binary_cameras(data: _Bytes) -> dict[int, Camera]:
    cameras = {}
    for _ in range(data.count(24)):
        key, model_id, width, height = (int(value) for value in data.take("iiQQ"))
        model = next((name for name, (id_, _) in MODELS.items() if id_ == model_id), f"{model_id}")
        count = _parameter_count(data.file, model)
        cameras[key] = Camera(model, width, height, data.take(f"{count}d"))
    return cameras


def _binary_images(data: _Bytes) -> dict[int, Image]:
    images = {}
    for _ in range(_check_view_count(data.file, data.count(73))):
        # Image id, quaternion and translation, camera id; then the name.
        key, *pose, camera = data.take("i7di")
        name = data.text()
        data.skip(24 * data.count(24))  # features: x, y, id of the point
        images[int(key)] = Image(name, int(camera), tuple(pose[:4]), tuple(pose[4:]))
    return images


def _binary_points(data: _Bytes) -> Points:
    points, observations = [], []
    for index in range(data.count(51)):
        _id, *position, _red, _green, _blue, _error = data.take("Q3d3Bd")
        points.append(tuple(position))
        track_length = data.count(8)
        images = data.take(f"{2 * track_length}I")[::2]  # image id, feature index, image id, ...
        observations += [(int(image), index) for image in images]
    return points, observations


def _lines(file: Path) -> Iterator[list[str]]:
    """The words of each line that is not a comment."""
    _check_file(file)
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if not line.startswith("#"):
                    yield line.split()
    except OSError as error:
        raise scene_error(file, f"cannot be read ({error.strerror})") from None


def _text_cameras(file: Path) -> dict[int, Camera]:
    """Lines of: camera id, model, width, height, parameters."""
    cameras = {}
    for words in filter(None, _lines(file)):
        _require_words(file, words, 5)
        count = _parameter_count(file, words[1])
        _require_words(file, words, 4 + count)
        key, width, height = (int(_number(file, words[i])) for i in (0, 2, 3))
        parameters = tuple(_number(file, word) for word in words[4 : 4 + count])
        cameras[key] = Camera(words[1], width, height, parameters)
    return cameras


def _text_images(file: Path) -> dict[int, Image]:
    """Pairs of lines: id, quaternion, translation, camera id and name; then features, or none."""
    images = {}
    for index, words in enumerate(_lines(file)):
        if index % 2 == 0 and words:
            _require_words(file, words, 10)
            values = [_number(file, word) for word in words[:9]]
            name = " ".join(words[9:])
            images[int(values[0])] = Image(
                name, int(values[8]), tuple(values[1:5]), tuple(values[5:8])
            )
    _check_view_count(file, len(images))
    return images


def _text_points(file: Path) -> Points:
    """Lines of: point id, position, colour, error, then pairs of image id and feature index."""
    points, observations = [], []
    for index, words in enumerate(filter(None, _lines(file))):
        _require_words(file, words, 8)
        points.append(tuple(_number(file, word) for word in words[1:4]))
        observations += [(int(_number(file, word)), index) for word in words[8::2]]
    return points, observations


def _parameter_count(file: Path, model: str) -> int:
    if model not in MODELS:
        raise scene_error(
            file,
            f"has the camera model {model}; undistort the images to one of {', '.join(MODELS)}",
        )
    return MODELS[model][1]


def _check_view_count(file: Path, count: int) -> int:
    if count > MAX_VIEWS:
        raise scene_error(file, f"has {count} images, at most {MAX_VIEWS} are read")
    return count


def _require_words(file: Path, words: list[str], count: int) -> None:
    if len(words) < count:
        raise scene_error(file, f"has a line of {len(words)} words where {count} are needed")


def _number(file: Path, word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        raise scene_error(file, f"has {word[:40]!r} where a number is needed") from None
    if not math.isfinite(value):
        raise scene_error(file, f"has {word!r} where a finite number is needed")
    return value
