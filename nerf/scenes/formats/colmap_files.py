"""COLMAP's sparse reconstructions, binary or text, read without trusting a byte of them.

COLMAP's own reader loops for hours or aborts the process on a torn file; this one checks every
count against what the file still holds. Formats: https://colmap.github.io/format.html.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.formats.scene_checks import FARTHEST, MAX_VIEWS, scene_error
from nerf.scenes.formats.untrusted_files import regular_file

MODELS = {
    "SIMPLE_PINHOLE": (0, 3),
    "PINHOLE": (1, 4),
    "SIMPLE_RADIAL": (2, 4),
    "RADIAL": (3, 5),
    "OPENCV": (4, 8),
}
"""Models understood here: COLMAP's number for each, and how many parameters it has."""

MAX_BYTES = 2**31


@dataclass(frozen=True)
class Camera:
    model: str
    width: int
    height: int
    parameters: tuple[float, ...]


@dataclass(frozen=True)
class Image:
    """One registered photograph: `rotation` (w, x, y, z) and `translation` are cam_from_world."""

    name: str
    camera: int
    rotation: tuple[float, ...]
    translation: tuple[float, ...]


@dataclass(frozen=True)
class Reconstruction:
    """Cameras and images by their id, points (n, 3), and which image saw which point (m, 2)."""

    cameras: dict[int, Camera]
    images: dict[int, Image]
    points: NDArray[np.float64]
    tracks: NDArray[np.int64]


def read_reconstruction(folder: Path) -> Reconstruction:
    """The reconstruction in a folder; raises `InputError` for what is torn, absurd or unknown."""
    if (folder / "cameras.bin").exists():
        cameras = _binary_cameras(_Bytes(folder / "cameras.bin"))
        images = _binary_images(_Bytes(folder / "images.bin"))
        points, tracks = _binary_points(_Bytes(folder / "points3D.bin"))
    else:
        cameras = _text_cameras(folder / "cameras.txt")
        images = _text_images(folder / "images.txt")
        points, tracks = _text_points(folder / "points3D.txt")
    for image in images.values():
        if image.camera not in cameras:
            raise scene_error(
                folder, f"image {image.name!r} has camera {image.camera}, which is missing"
            )
    array = np.array(points, np.float64).reshape(-1, 3)
    if not (np.abs(array) < FARTHEST).all():
        raise scene_error(folder, f"a point of the reconstruction is NaN or beyond {FARTHEST:g}")
    return Reconstruction(cameras, images, array, np.array(tracks, np.int64).reshape(-1, 2))


def _check_file(file: Path) -> None:
    if regular_file(file).stat().st_size > MAX_BYTES:
        raise scene_error(file, f"is larger than {MAX_BYTES // 2**30} GiB")


class _Bytes:
    """A file's bytes, taken one record at a time; never more than there are."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.at = 0
        _check_file(file)
        try:
            self.content = file.read_bytes()
        except OSError as error:
            raise scene_error(file, f"cannot be read ({error.strerror})") from None

    def take(self, layout: str) -> tuple[int | float, ...]:
        self.need(size := struct.calcsize("<" + layout))
        values = struct.unpack_from("<" + layout, self.content, self.at)
        self.at += size
        return values

    def count(self, smallest: int) -> int:
        """A number of records that follow, each of at least that many bytes."""
        (count,) = self.take("Q")
        self.need(int(count) * smallest)
        return int(count)

    def text(self) -> str:
        end = self.content.find(b"\0", self.at, self.at + 4096)
        if end < 0:
            raise scene_error(self.file, "holds a file name without an end")
        name = self.content[self.at : end].decode("utf-8", "replace")
        self.at = end + 1
        return name

    def skip(self, size: int) -> None:
        self.need(size)
        self.at += size

    def need(self, size: int) -> None:
        if self.at + size > len(self.content):
            raise scene_error(
                self.file,
                f"is torn: {size} bytes wanted at {self.at}, {len(self.content) - self.at} left",
            )


def _binary_cameras(data: _Bytes) -> dict[int, Camera]:
    cameras = {}
    for _ in range(data.count(24)):
        key, number, width, height = (int(value) for value in data.take("iiQQ"))
        model = next((name for name, (id_, _) in MODELS.items() if id_ == number), f"{number}")
        count = _parameter_count(data.file, model)
        cameras[key] = Camera(model, width, height, data.take(f"{count}d"))
    return cameras


def _binary_images(data: _Bytes) -> dict[int, Image]:
    images = {}
    for _ in range(_view_count(data.file, data.count(73))):
        key, *pose, camera = data.take("i7di")
        name = data.text()
        data.skip(24 * data.count(24))  # the features: x, y, id of the point
        images[int(key)] = Image(name, int(camera), tuple(pose[:4]), tuple(pose[4:]))
    return images


def _binary_points(data: _Bytes) -> tuple[list[tuple[float, ...]], list[tuple[int, int]]]:
    points, tracks = [], []
    for index in range(data.count(51)):
        _, *place, _red, _green, _blue, _error = data.take("Q3d3Bd")
        points.append(tuple(place))
        length = data.count(8)
        seen = data.take(f"{2 * length}I")[::2]
        tracks += [(int(image), index) for image in seen]
    return points, tracks


def _lines(file: Path) -> Iterator[list[str]]:
    """The words of each line, comments left out."""
    _check_file(file)
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if not line.startswith("#"):
                    yield line.split()
    except OSError as error:
        raise scene_error(file, f"cannot be read ({error.strerror})") from None


def _text_cameras(file: Path) -> dict[int, Camera]:
    cameras = {}
    for words in filter(None, _lines(file)):
        _at_least(file, words, 5)
        count = _parameter_count(file, words[1])
        _at_least(file, words, 4 + count)
        key, width, height = (int(_number(file, words[i])) for i in (0, 2, 3))
        parameters = tuple(_number(file, word) for word in words[4 : 4 + count])
        cameras[key] = Camera(words[1], width, height, parameters)
    return cameras


def _text_images(file: Path) -> dict[int, Image]:
    """Every second line is an image; the one below it, perhaps empty, holds its features."""
    images = {}
    for index, words in enumerate(_lines(file)):
        if index % 2 == 0 and words:
            _at_least(file, words, 10)
            values = [_number(file, word) for word in words[:9]]
            name = " ".join(words[9:])
            images[int(values[0])] = Image(
                name, int(values[8]), tuple(values[1:5]), tuple(values[5:8])
            )
    _view_count(file, len(images))
    return images


def _text_points(file: Path) -> tuple[list[tuple[float, ...]], list[tuple[int, int]]]:
    points, tracks = [], []
    for index, words in enumerate(filter(None, _lines(file))):
        _at_least(file, words, 8)
        points.append(tuple(_number(file, word) for word in words[1:4]))
        tracks += [(int(_number(file, word)), index) for word in words[8::2]]
    return points, tracks


def _parameter_count(file: Path, model: str) -> int:
    if model not in MODELS:
        raise scene_error(
            file,
            f"has the camera model {model}; undistort the images to one of {', '.join(MODELS)}",
        )
    return MODELS[model][1]


def _view_count(file: Path, count: int) -> int:
    if count > MAX_VIEWS:
        raise scene_error(file, f"has {count} images, at most {MAX_VIEWS} are read")
    return count


def _at_least(file: Path, words: list[str], count: int) -> None:
    if len(words) < count:
        raise scene_error(file, f"has a line of {len(words)} words where {count} are needed")


def _number(file: Path, word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        raise scene_error(file, f"holds {word[:40]!r} where a number is needed") from None
    if not math.isfinite(value):
        raise scene_error(file, f"holds {word!r} where a finite number is needed")
    return value
