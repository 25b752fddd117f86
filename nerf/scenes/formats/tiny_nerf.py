"""Reads scenes in a single .npz file, such as tiny_nerf_data.npz of the NeRF paper's notebook.

The archive holds `images` (views, height, width, 3), float in [0, 1] or uint8, on black, `poses`
(views, 4, 4), world_from_camera in OpenGL's convention, and one `focal` length in pixels. The
principal point is the middle of the images.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from nerf.common.errors import InputError
from nerf.scenes.bounds.suggest import with_bounds
from nerf.scenes.formats.scene_checks import (
    check_focal,
    check_pixels,
    check_poses,
    check_sizes,
    scene_error,
)
from nerf.scenes.formats.untrusted_files import INVALID_ARRAY_ERRORS
from nerf.scenes.scene import Scene, split_views

_KEYS = ("images", "poses", "focal")
Headers = dict[str, tuple[tuple[int, ...], np.dtype[Any]]]


def load_tiny_nerf(file: Path, name: str = "") -> Scene:
    """Loads the scene in `file`; raises `InputError` for a file that is not a valid scene."""
    try:
        _check_headers(file, _read_headers(file))
        with np.load(file, allow_pickle=False) as archive:
            images, poses, focal = (archive[key] for key in _KEYS)
    except InputError:
        raise
    except INVALID_ARRAY_ERRORS as error:
        raise scene_error(file, f"cannot be read ({error}); copy or download it again") from None
    if images.dtype == np.uint8:
        images = images / np.float32(255)
    check_pixels(file, images)
    check_poses(file, poses)
    views, height, width = images.shape[:3]
    check_focal(file, float(focal), width)
    splits = split_views(views)
    scene = Scene(
        name=name or file.stem,
        source=str(file),
        images=images.astype(np.float32, copy=False),
        world_from_camera=poses.astype(np.float32),
        focal=np.full((views, 2), float(focal), np.float32),
        centre=np.tile(np.array([width / 2, height / 2], np.float32), (views, 1)),
        background=np.zeros(3, np.float32),
        description="tiny-NeRF file",
        train=splits["train"],
        val=splits["val"],
        test=splits["test"],
    )
    return with_bounds(scene)


def _read_headers(file: Path) -> Headers:
    """Each array's shape and type, read before memory for an array of that size is allocated."""
    headers: Headers = {}
    with zipfile.ZipFile(file) as archive:
        members = archive.namelist()
        for key in _KEYS:
            if f"{key}.npy" not in members:
                raise scene_error(file, f"has no array `{key}`; it needs images, poses and focal")
            with archive.open(f"{key}.npy") as member:
                version_1 = npy.read_magic(member) == (1, 0)
                read = npy.read_array_header_1_0 if version_1 else npy.read_array_header_2_0
                shape, _, dtype = read(member)
            headers[key] = (shape, dtype)
    return headers


def _check_headers(file: Path, headers: Headers) -> None:
    (images, pixel), (poses, element), (focal, number) = (headers[key] for key in _KEYS)
    if pixel.kind != "f" and pixel != np.uint8:
        raise scene_error(file, f"`images` must be float or uint8, got {pixel}")
    if element.kind != "f":
        raise scene_error(file, f"`poses` must be float, got {element}")
    if number.kind not in "fiu":
        raise scene_error(file, f"`focal` must be a number, got {number}")
    if len(images) != 4 or images[3] != 3:
        raise scene_error(file, f"`images` must be (views, height, width, 3), got {images}")
    check_sizes(file, *images[:3])
    if poses != (images[0], 4, 4):
        raise scene_error(file, f"`poses` must be ({images[0]}, 4, 4) like `images`, got {poses}")
    if focal != ():
        raise scene_error(file, f"`focal` must be one number, got an array of shape {focal}")
