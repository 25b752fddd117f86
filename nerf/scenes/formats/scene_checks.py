"""Checks that scenes of all formats must pass: sizes, pixels, poses, lenses.

Each check raises an `InputError` of its own for what it rejects; `where` is the file to name in it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nerf.common.errors import InputError
from nerf.common.printable import printable
from nerf.scenes.cameras.lens import Lens, shown

WAY_OUT = "use --scene bricks or --scene PATH"

MIN_VIEWS = 3
MAX_VIEWS = 10_000
MIN_SIDE = 2
MAX_SIDE = 16_384
MAX_IMAGE_PIXELS = 2**26  # 67 megapixels, of one image as it is decoded
MAX_VALUES = 2**30  # pixels times channels of a whole scene: 4 GiB as float32
MAX_COORDINATE = 1e9  # scene units; float32 differences beyond have no precision left

MEGAPIXELS = MAX_IMAGE_PIXELS // 10**6

ROTATION_TOLERANCE = 1e-3
"""Largest deviation of a rotation's R R' from the identity."""

_MIN_FOCAL, _MAX_FOCAL = 0.05, 1e3  # in image widths
_MIN_FISHEYE_SHARE = 0.25  # of the image, in the lens's circle; less suggests wrong units


def scene_error(where: object, problem: str) -> InputError:
    """The error for a problem in one of a scene's files."""
    return InputError(printable(f"{where}: {problem}"))


def check_sizes(
    where: object, views: int, height: int, width: int, all_in_memory: bool = True
) -> None:
    """Rejects scenes that are too small to train on or too large for memory.

    With `all_in_memory=False` only the size of a single image is limited, not that of all images.
    """
    if views < MIN_VIEWS:
        raise scene_error(where, f"a scene needs at least {MIN_VIEWS} views, got {views}")
    if views > MAX_VIEWS:
        raise scene_error(where, f"a scene may have at most {MAX_VIEWS} views, got {views}")
    if min(height, width) < MIN_SIDE or max(height, width) > MAX_SIDE:
        raise scene_error(
            where,
            f"images must be {MIN_SIDE} to {MAX_SIDE} pixels a side, got {width} x {height}; "
            "resize them",
        )
    if height * width > MAX_IMAGE_PIXELS:
        raise scene_error(
            where,
            f"images of {width} x {height} pixels are over {MEGAPIXELS} megapixels; resize them",
        )
    if all_in_memory and 3 * views * height * width > MAX_VALUES:
        raise scene_error(
            where,
            f"{views} images of {width} x {height} take more than "
            f"{4 * MAX_VALUES / 2**30:g} GiB; use fewer or smaller images",
        )


def check_pixels(where: object, images: NDArray[Any]) -> None:
    """Rejects images (views, ...) with values that are not finite or outside [0, 1]."""
    for view, image in enumerate(images):
        if not np.isfinite(image).all():
            raise scene_error(where, f"image {view} has NaN or infinite pixels")
        if image.min() < 0 or image.max() > 1:
            raise scene_error(
                where,
                f"pixels must lie in [0, 1], image {view} spans "
                f"[{image.min():g}, {image.max():g}]; scale them first",
            )


def check_poses(where: object, poses: NDArray[Any], names: Sequence[str] = ()) -> None:
    """Rejects poses (views, 4, 4) that are not rigid (orthonormal, det +1) or that never move.

    `names` are the images of the views, for messages.
    """
    for view, pose in enumerate(np.asarray(poses, np.float64)):
        _check_rigid(where, view_name(view, names), pose)
    positions = np.asarray(poses, np.float64)[:, :3, 3]
    if np.abs(positions).max() > MAX_COORDINATE:
        raise scene_error(
            where, f"a camera is farther than {MAX_COORDINATE:g} from the origin; rescale the poses"
        )
    if len(poses) < MIN_VIEWS:
        raise scene_error(where, f"a scene needs at least {MIN_VIEWS} views, got {len(poses)}")
    if np.ptp(positions, axis=0).max() <= 1e-6 * (1 + np.abs(positions).max()):
        raise scene_error(
            where, "all cameras are at one place, which shows no depth; move the camera"
        )


def view_name(view: int, names: Sequence[str]) -> str:
    """What messages call a view: its image's name, or its number without `names`."""
    return names[view][:80] if names else f"view {view}"


def check_finite_poses(where: object, poses: NDArray[Any], names: Sequence[str] = ()) -> None:
    """Rejects poses (views, rows, 4) with NaN or infinite numbers."""
    for view, pose in enumerate(poses):
        if not np.isfinite(pose).all():
            raise scene_error(
                where,
                f"the pose of {view_name(view, names)} has NaN or infinite numbers; give its pose, "
                "or remove that view",
            )


def _check_rigid(where: object, view: str, pose: NDArray[np.float64]) -> None:
    check_finite_poses(where, pose[None], [view])
    if np.abs(pose[3] - (0, 0, 0, 1)).max() > 1e-6:
        transposed = np.abs(pose[:, 3] - (0, 0, 0, 1)).max() <= 1e-6
        remedy = "transpose the matrices" if transposed else "divide it by the last number"
        raise scene_error(where, f"the pose of {view} must end in the row 0 0 0 1; {remedy}")
    rotation = pose[:3, :3].clip(-2, 2)  # so that huge numbers do not overflow below
    error = float(np.abs(rotation @ rotation.T - np.eye(3)).max())
    if error > ROTATION_TOLERANCE:
        raise scene_error(
            where,
            f"the rotation of {view} is not orthonormal (off by {error:.2g}, at most "
            f"{ROTATION_TOLERANCE:g}); give world_from_camera without scale or shear",
        )
    if np.linalg.det(rotation) < 0:
        raise scene_error(
            where, f"the rotation of {view} mirrors (determinant -1); flip one camera axis"
        )


def check_focal(where: object, focal: float, width: int) -> None:
    """Rejects a focal length in pixels that no lens has for images of that width.

    The shortest are those of fisheye lenses of more than half a sphere, a quarter of the width.
    """
    if not (math.isfinite(focal) and focal > 0):
        raise scene_error(where, f"the focal length must be positive, got {focal:g} pixels")
    if not _MIN_FOCAL < focal / width < _MAX_FOCAL:
        raise scene_error(
            where,
            f"a focal length of {focal:g} pixels is absurd for images {width} pixels wide; give it "
            "in pixels, not in image widths or millimetres",
        )


def check_centre(where: object, centre: NDArray[Any], width: int, height: int) -> None:
    """Rejects a principal point far outside the image, which suggests wrong units."""
    x, y = (float(value) for value in centre)
    if not (-width < x < 2 * width and -height < y < 2 * height):
        raise scene_error(
            where,
            f"the principal point ({x:g}, {y:g}) is far outside images of {width} x {height}",
        )


def check_lens(
    where: object,
    lens: Lens,
    focal: NDArray[Any],
    centre: NDArray[Any],
    width: int,
    height: int,
) -> None:
    """Rejects a distortion that is not finite, or that has no inverse within the image.

    A fisheye lens may leave the corners of the image dark.
    """
    if not np.isfinite(lens.coefficients).all():
        raise scene_error(where, "the distortion coefficients must be finite numbers")
    # A 9 x 9 grid of pixels from corner to corner, on the image plane at distance 1.
    ticks = np.linspace(0, 1, 9)
    x, y = np.meshgrid(
        (ticks * width - centre[0]) / focal[0], (ticks * height - centre[1]) / focal[1]
    )
    visible = shown(lens, x, y)
    if visible.mean() < _MIN_FISHEYE_SHARE or (lens.model != "fisheye" and not visible.all()):
        coefficients = ", ".join(f"{value:g}" for value in lens.coefficients)
        raise scene_error(
            where,
            f"the distortion ({coefficients}) folds over within the image; undistort the images "
            "first",
        )
