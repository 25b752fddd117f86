"""Reads COLMAP's text files: cameras.txt, images.txt and points3D.txt.

Formats: https://colmap.github.io/format.html.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from nerf.scenes.formats.colmap_records import (
    Camera,
    Image,
    Points,
    check_view_count,
    parameter_count,
)
from nerf.scenes.formats.scene_checks import scene_error


def _lines(file: Path) -> Iterator[list[str]]:
    """The words of each line that is not a comment."""
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if not line.startswith("#"):
                    yield line.split()
    except OSError as error:
        raise scene_error(file, f"cannot be read ({error.strerror})") from None


def text_cameras(file: Path) -> dict[int, Camera]:
    """Lines of: camera id, model, width, height, parameters."""
    cameras = {}
    for words in filter(None, _lines(file)):
        _require_words(file, words, 5)
        count = parameter_count(file, words[1])
        _require_words(file, words, 4 + count)
        key, width, height = (int(_number(file, words[i])) for i in (0, 2, 3))
        parameters = tuple(_number(file, word) for word in words[4 : 4 + count])
        cameras[key] = Camera(words[1], width, height, parameters)
    return cameras


def text_images(file: Path) -> dict[int, Image]:
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
    check_view_count(file, len(images))
    return images


def _are_features(words: list[str]) -> bool:
    """Whether a line has triples of x, y and a point's whole number; an image's ends in a name."""
    if len(words) % 3:
        return False
    return all(word.lstrip("-").isdigit() for word in words[2::3])


def text_points(file: Path) -> Points:
    """Lines of: point id, position, colour, error, then pairs of image id and feature index."""
    points, observations = [], []
    for index, words in enumerate(filter(None, _lines(file))):
        _require_words(file, words, 8)
        points.append(tuple(_number(file, word) for word in words[1:4]))
        observations += [(int(_number(file, word)), index) for word in words[8::2]]
    return points, observations


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
