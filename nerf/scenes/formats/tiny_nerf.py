"""Reads scenes in a single .npz file, such as tiny_nerf_data.npz of the NeRF paper's notebook.

The archive holds `images` (views, height, width, 3), float in [0, 1] or uint8, on black, `poses`
(views, 3 or 4, 4), world_from_camera in OpenGL's convention, and the `focal` length in pixels: one
number, one for each axis or each view, or both. The principal point is the middle of the images.
`c2ws` and `c2w` are other names of the poses. Files with `images_train` and `c2ws_train`, and the
same for `val`, have a split of their own.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from nerf.common.errors import InputError
from nerf.scenes.bounds.pose_conventions import with_convention_warning
from nerf.scenes.bounds.suggest import with_bounds
from nerf.scenes.formats.rigid_poses import make_rigid, with_four_rows
from nerf.scenes.formats.scene_checks import (
    MIN_VIEWS,
    check_focal,
    check_pixels,
    check_poses,
    check_sizes,
    scene_error,
)
from nerf.scenes.formats.splits import complete_splits
from nerf.scenes.formats.untrusted_files import INVALID_ARRAY_ERRORS
from nerf.scenes.images import Float32, Images
from nerf.scenes.scene import Scene, Split

_POSES = ("poses", "c2ws", "c2w")
_FOCAL = "focal"
Headers = dict[str, tuple[tuple[int, ...], np.dtype[Any]]]


@dataclass(frozen=True)
class _Part:
    """The keys of the images and poses of one split, or of all views if the split is None."""

    split: Split | None
    images: str
    poses: str


def load_tiny_nerf(file: Path, name: str = "") -> Scene:
    """Loads the scene in `file`; raises `InputError` for a file that is not a valid scene."""
    try:
        headers = _read_headers(file)
        parts = _find_parts(file, headers)
        _check_headers(file, headers, parts)
        with np.load(file, allow_pickle=False) as archive:
            images = np.concatenate([archive[part.images] for part in parts])
            poses = np.concatenate([with_four_rows(archive[part.poses]) for part in parts])
            focal = archive[_FOCAL]
    except InputError:
        raise
    except INVALID_ARRAY_ERRORS as error:
        raise scene_error(file, f"cannot be read ({error}); copy or download it again") from None
    if images.dtype != np.uint8:
        images = images.astype(np.float32, copy=False)
        check_pixels(file, images)
    rigid, notes = make_rigid(file, poses)
    check_poses(file, rigid)
    views, height, width = images.shape[:3]
    focal_lengths = _focal_lengths(file, focal, views)
    for value in np.unique(focal_lengths):
        check_focal(file, float(value), width)
    splits, split_notes = complete_splits(file, _named_views(parts, headers), views)
    used = {_FOCAL, *(key for part in parts for key in (part.images, part.poses))}
    unused = sorted(set(headers) - used)
    if unused:
        notes.append(f"arrays that are not used: {', '.join(key[:40] for key in unused[:12])}")
    scene = Scene(
        name=name or file.stem,
        source=str(file),
        images=Images(images),
        world_from_camera=rigid.astype(np.float32),
        focal=focal_lengths,
        centre=np.tile(np.array([width / 2, height / 2], np.float32), (views, 1)),
        background=np.zeros(3, np.float32),
        description="tiny-NeRF file",
        notes=(*notes, *split_notes),
        train=splits["train"],
        val=splits["val"],
        test=splits["test"],
    )
    return with_convention_warning(with_bounds(scene), rigid)


def _read_headers(file: Path) -> Headers:
    """Each array's shape and type, read before memory for an array of that size is allocated."""
    headers: Headers = {}
    with zipfile.ZipFile(file) as archive:
        for member_name in archive.namelist():
            if not member_name.endswith(".npy"):
                continue
            with archive.open(member_name) as member:
                version_1 = npy.read_magic(member) == (1, 0)
                read = npy.read_array_header_1_0 if version_1 else npy.read_array_header_2_0
                shape, _, dtype = read(member)
            headers[member_name.removesuffix(".npy")] = (shape, dtype)
    return headers


def _find_parts(file: Path, headers: Headers) -> list[_Part]:
    """The arrays of all views, or of each split."""
    if not headers:
        raise scene_error(
            file, "is an archive without arrays; unpack it and give its folder as --scene"
        )
    if _FOCAL not in headers:
        raise scene_error(file, "has no array `focal`; it needs images, poses and focal")
    whole = next((key for key in _POSES if key in headers), None)
    if "images" in headers and whole:
        return [_Part(None, "images", whole)]
    splits = [
        _Part(split, f"images_{split}", f"{key}_{split}")
        for split in get_args(Split)
        for key in _POSES
        if f"images_{split}" in headers and f"{key}_{split}" in headers
    ]
    if splits and splits[0].split == "train":
        return splits
    missing = "poses" if "images" in headers else "images"
    names = ", ".join(key[:20] for key in sorted(headers)[:8])
    raise scene_error(
        file, f"has no array `{missing}`; it needs images, poses and focal, and holds {names}"
    )


def _named_views(parts: list[_Part], headers: Headers) -> dict[Split, range] | None:
    """The views of each split, or None if the file does not tell."""
    named: dict[Split, range] = {}
    first = 0
    for part in parts:
        count = headers[part.images][0][0]
        if part.split is not None:
            named[part.split] = range(first, first + count)
        first += count
    return named or None


def _check_headers(file: Path, headers: Headers, parts: list[_Part]) -> None:
    number = headers[_FOCAL][1]
    if number.kind not in "fiu":
        raise scene_error(file, f"`focal` must be a number, got {number}")
    first, views = headers[parts[0].images][0], 0
    for part in parts:
        (images, pixel), (poses, element) = headers[part.images], headers[part.poses]
        if pixel.kind != "f" and pixel != np.uint8:
            raise scene_error(file, f"`{part.images}` must be float or uint8, got {pixel}")
        if element.kind != "f":
            remedy = "; objects may run code and are not read" if element.hasobject else ""
            raise scene_error(
                file,
                f"`{part.poses}` must be float, got {element}{remedy}; save it with .astype(float)",
            )
        if len(images) != 4 or images[3] != 3:
            remedy = "transpose the array"
            if images[3:] == (4,):
                remedy = "composite the alpha channel over black first"
            raise scene_error(
                file, f"`{part.images}` must be (views, height, width, 3), got {images}; {remedy}"
            )
        if images[1:] != first[1:]:
            raise scene_error(file, f"`{part.images}` are {images[1:]}, others {first[1:]}")
        views += images[0]
        check_sizes(file, max(views, MIN_VIEWS), height=images[1], width=images[2])
        if poses not in ((images[0], 4, 4), (images[0], 3, 4)):
            raise scene_error(
                file,
                f"`{part.poses}` must be ({images[0]}, 4, 4) like `{part.images}`, got {poses}",
            )
    check_sizes(file, views, height=first[1], width=first[2])


def _focal_lengths(file: Path, focal: NDArray[Any], views: int) -> Float32:
    """Horizontal and vertical focal lengths (views, 2) from the array of any accepted shape."""
    by_shape: Mapping[tuple[int, ...], Any] = {
        (): focal,
        (1,): focal,
        (2,): focal,
        (views,): focal.reshape(-1, 1),
        (views, 1): focal,
        (views, 2): focal,
    }
    if focal.shape not in by_shape:
        raise scene_error(
            file,
            f"`focal` must be one number, one a view, or one for each axis, got an array of shape "
            f"{focal.shape}",
        )
    return np.broadcast_to(by_shape[focal.shape], (views, 2)).astype(np.float32)
