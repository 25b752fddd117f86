"""Cameras as transforms.json files describe them: focal length, principal point, lens.

The keys are those of instant-ngp and nerfstudio; each may stand in the file, for all frames, or in
a frame. What a file leaves out has the value that those two give it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from nerf.scenes.cameras.lens import Lens
from nerf.scenes.formats.camera_models import (
    JSON_MODELS,
    UNDISTORT,
    Intrinsics,
    panorama,
)
from nerf.scenes.formats.scene_checks import scene_error

CAMERA_KEYS = frozenset(
    (
        *("w", "h", "fl_x", "fl_y", "cx", "cy"),
        *("camera_angle_x", "camera_angle_y", "x_fov", "y_fov"),
        *("camera_model", "is_fisheye", "equirectangular", "distortion_params"),
        *("k1", "k2", "k3", "k4", "k5", "k6", "p1", "p2"),
    )
)
"""The keys that `read_intrinsics` uses."""

_SAME = 0.02  # relative difference of two focal lengths, or aspects, that are taken for equal
_DISTORTION_PARAMS = ("k1", "k2", "k3", "k4", "p1", "p2")  # nerfstudio's order in a list


def read_number(
    where: object, data: Mapping[str, Any], key: str, default: float | None = None
) -> float:
    """The finite number `data[key]`; raises `InputError` if it is missing or not a number."""
    value = data.get(key, default)
    if value is None:
        raise scene_error(where, f"lacks the number `{key}`")
    if type(value) not in (int, float) or not abs(value) < math.inf or abs(value) > 1e300:
        raise scene_error(where, f"`{key}` must be a finite number, got {str(value)[:40]!r}")
    return float(value)


def read_size(where: object, camera: Mapping[str, Any]) -> tuple[int, int] | None:
    """Width and height of the images that the camera fits, or None unless both are given."""
    if "w" not in camera or "h" not in camera:
        return None
    width, height = (round(read_number(where, camera, key)) for key in ("w", "h"))
    if min(width, height) < 1:
        raise scene_error(where, f"`w` and `h` must be positive, got {width} and {height}")
    return width, height


def read_intrinsics(where: object, camera: Mapping[str, Any], size: tuple[int, int]) -> Intrinsics:
    """The camera of a frame, in pixels of images of `size` (width, height)."""
    lens = _read_lens(where, camera)
    width, height = size
    centre = (
        read_number(where, camera, "cx", width / 2),
        read_number(where, camera, "cy", height / 2),
    )
    if lens.model == "equirectangular":
        focal = _panorama_focal(where, camera, size)
        return Intrinsics(focal or panorama(size).focal, centre, lens, size)
    across_or_none = _focal(where, camera, "x", width)
    down_or_none = _focal(where, camera, "y", height)
    across = across_or_none or down_or_none or 0.0
    if across_or_none is None and down_or_none is None:
        raise scene_error(
            where, "gives no focal length; add `fl_x` in pixels or `camera_angle_x` in radians"
        )
    return Intrinsics((across, down_or_none or across), centre, lens, size)


def disagreeing_focal(where: object, camera: Mapping[str, Any], size: tuple[int, int]) -> str:
    """A line if the focal lengths that a camera gives contradict one another, else an empty text.

    These are `fl_x` and `camera_angle_x` that differ by more than 2 %, and focal lengths that a
    whole panorama does not have.
    """
    if _read_lens(where, camera).model == "equirectangular":
        differ = "fl_x" in camera and _panorama_focal(where, camera, size) is None
        return (
            "focal lengths are not used: images twice as wide as high are whole panoramas" * differ
        )
    if "fl_x" not in camera or type(camera.get("camera_angle_x")) is not float:
        return ""
    focal = read_number(where, camera, "fl_x")
    from_angle = _focal(where, {"camera_angle_x": camera["camera_angle_x"]}, "x", size[0])
    if from_angle is None or abs(focal / from_angle - 1) < _SAME:
        return ""
    return f"fl_x is {focal:g}, camera_angle_x means {from_angle:g} pixels: fl_x is used"


def _panorama_focal(
    where: object, camera: Mapping[str, Any], size: tuple[int, int]
) -> tuple[float, float] | None:
    """Pixels per radian of a panorama, or None where it is a whole one.

    nerfstudio's `fl_x` and `fl_y` of a whole one are w / 2 and h, so that they are pi times these.
    """
    whole = panorama(size).focal
    across, down = (
        read_number(where, camera, key, math.pi * value) / math.pi
        for key, value in zip(("fl_x", "fl_y"), whole, strict=True)
    )
    is_twice_as_wide = abs(size[0] / size[1] / 2 - 1) < _SAME
    fits = max(abs(across / whole[0] - 1), abs(down / whole[1] - 1)) < _SAME
    return None if is_twice_as_wide and not fits else (across, down)


def _focal(where: object, camera: Mapping[str, Any], axis: str, pixels: int) -> float | None:
    """The focal length along one axis, from the first key that gives it, or None."""
    if f"fl_{axis}" in camera:
        focal = read_number(where, camera, f"fl_{axis}")
        if focal <= 0:
            raise scene_error(where, f"`fl_{axis}` must be positive, got {focal:g} pixels")
        return focal
    degrees, radians = f"{axis}_fov", f"camera_angle_{axis}"
    if degrees in camera:
        angle, key = math.radians(read_number(where, camera, degrees)), degrees
    elif radians in camera:
        angle, key = read_number(where, camera, radians), radians
    else:
        return None
    if not 0 < angle < math.pi:
        raise scene_error(where, f"`{key}` must lie between 0 and pi, got {angle:g} radians")
    return pixels / 2 / math.tan(angle / 2)


def _read_lens(where: object, camera: Mapping[str, Any]) -> Lens:
    """The lens, from `camera_model` or instant-ngp's flags, and its coefficients."""
    name = str(camera.get("camera_model", "OPENCV")).upper()
    if name not in JSON_MODELS:
        raise scene_error(
            where, f"has the camera model {name[:40]}, which is not read; {UNDISTORT}"
        )
    model = JSON_MODELS[name]
    if camera.get("is_fisheye"):
        model = "fisheye"
    if camera.get("equirectangular"):
        model = "equirectangular"
    if model == "equirectangular":
        return Lens(model)
    k1, k2, k3, k4, k5, k6, p1, p2 = _coefficients(where, camera)
    if model == "fisheye":
        return Lens(model, (k1, k2, k3, k4))
    if name == "FULL_OPENCV" or k5 or k6:  # OpenCV's rational model, where k4 divides
        return Lens(model, (k1, k2, p1, p2, k3, k4, k5, k6))
    # Metashape's and nerfstudio's k4 is the coefficient of r^8.
    return Lens(model, (k1, k2, p1, p2, k3, 0.0, 0.0, 0.0, k4))


def _coefficients(where: object, camera: Mapping[str, Any]) -> list[float]:
    """k1 to k6, p1 and p2; those left out are zero."""
    values = dict(camera)
    listed = camera.get("distortion_params")
    if isinstance(listed, list):
        values |= dict(zip(_DISTORTION_PARAMS, listed, strict=False))
    keys = ("k1", "k2", "k3", "k4", "k5", "k6", "p1", "p2")
    return [read_number(where, values, key, 0.0) for key in keys]
