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

from nerf.common.errors import InputError
from nerf.scenes.formats.camera_models import COLMAP_MODELS, OTHER_COLMAP_MODELS, UNDISTORT
from nerf.scenes.formats.scene_checks import MAX_COORDINATE, MAX_VIEWS, scene_error
from nerf.scenes.formats.untrusted_files import regular_file

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


def holds_reconstruction(folder: Path, whole: bool = True) -> bool:
    """Whether a folder has COLMAP's cameras, binary or text, and if it is whole, its images."""
    return bool(_kinds(folder, ("cameras", "images") if whole else ("cameras",)))


def _kinds(folder: Path, names: tuple[str, ...]) -> list[str]:
    """Which of bin and txt all these files of a reconstruction exist as."""
    return [
        kind
        for kind in ("bin", "txt")
        if all((folder / f"{name}.{kind}").exists() for name in names)
    ]


def count_images(folder: Path) -> int:
    """How many images a reconstruction registers; 0 if its file cannot be read."""
    try:
        if (folder / "images.bin").exists():
            with (folder / "images.bin").open("rb") as file:
                return int.from_bytes(file.read(8), "little")
        return len(_text_images(folder / "images.txt"))
    except (OSError, InputError):
        return 0


def read_reconstruction(folder: Path, follow_links: bool = False) -> Reconstruction:
    """Reads a reconstruction; raises `InputError` for truncated, absurd or unsupported files.

    Points may be missing.
    """
    kind = (_kinds(folder, ("cameras", "images")) or _kinds(folder, ("cameras",)))[0]
    files = [folder / f"{name}.{kind}" for name in ("cameras", "images", "points3D")]
    for file in files[:2] + files[2:] * files[2].exists():
        if regular_file(file, follow_links).stat().st_size > MAX_BYTES:
            raise scene_error(file, f"is larger than {MAX_BYTES // 2**30} GiB")
    points: Points = ([], [])
    if kind == "bin":
        cameras, images = _binary_cameras(_Bytes(files[0])), _binary_images(_Bytes(files[1]))
        if files[2].exists():
            points = _binary_points(_Bytes(files[2]))
    else:
        cameras, images = _text_cameras(files[0]), _text_images(files[1])
        if files[2].exists():
            points = _text_points(files[2])
    for image in images.values():
        if image.camera not in cameras:
            raise scene_error(
                folder, f"image {image.name!r} has camera {image.camera}, which is missing"
            )
    positions = np.array(points[0], np.float64).reshape(-1, 3)
    if not (np.abs(positions) < MAX_COORDINATE).all():
        raise scene_error(
            folder, f"a point of the reconstruction is NaN or beyond {MAX_COORDINATE:g}"
        )
    pairs = np.array(points[1], np.int64).reshape(-1, 2)
    return Reconstruction(cameras, images, positions, pairs)


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


def _binary_cameras(data: _Bytes) -> dict[int, Camera]:
    cameras = {}
    for _ in range(data.count(24)):
        key, model_id, width, height = (int(value) for value in data.take("iiQQ"))
        model = _model_name(model_id)
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
    """Lines of: id, quaternion, translation, camera id and name. A line of features follows each,
    empty if it has none; some writers leave it out.
    """
    images = {}
    features_may_follow = False
    for words in _lines(file):
        if features_may_follow and _are_features(words):
            features_may_follow = False
        elif words:
            _require_words(file, words, 10)
            values = [_number(file, word) for word in words[:9]]
            name = " ".join(words[9:])
            images[int(values[0])] = Image(
                name, int(values[8]), tuple(values[1:5]), tuple(values[5:8])
            )
            features_may_follow = True
    _check_view_count(file, len(images))
    return images


def _are_features(words: list[str]) -> bool:
    """Whether a line has triples of x, y and a point's whole number; an image's ends in a name."""
    if len(words) % 3:
        return False
    return all(word.lstrip("-").isdigit() for word in words[2::3])


def _text_points(file: Path) -> Points:
    """Lines of: point id, position, colour, error, then pairs of image id and feature index."""
    points, observations = [], []
    for index, words in enumerate(filter(None, _lines(file))):
        _require_words(file, words, 8)
        points.append(tuple(_number(file, word) for word in words[1:4]))
        observations += [(int(_number(file, word)), index) for word in words[8::2]]
    return points, observations


def _model_name(number: int) -> str:
    names = {model.number: name for name, model in COLMAP_MODELS.items()} | OTHER_COLMAP_MODELS
    return names.get(number, f"number {number}")


def _parameter_count(file: Path, model: str) -> int:
    if model not in COLMAP_MODELS:
        raise scene_error(
            file, f"has the camera model {model[:40]}, which is not read; {UNDISTORT}"
        )
    return COLMAP_MODELS[model].parameters


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
