"""What every scene must keep, whatever file it comes from; each rule has its own message.

All of them raise `InputError`; `where` names the file at fault.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nerf.common.errors import InputError
from nerf.scenes.cameras.distortion import invertible

WAY_OUT = "use --scene bricks or --scene PATH"

MAX_VIEWS = 10_000
MAX_SIDE = 8192
MAX_VALUES = 2**30  # pixels times channels of a whole scene: 4 GiB as float32
MIN_SIDE = 2
MIN_VIEWS = 3
FARTHEST = 1e9  # scene units: beyond, positions and their differences lose all precision


def scene_error(where: object, what: str) -> InputError:
    """The error that says what is wrong with which file."""
    return InputError(f"{where}: {what}")


def check_sizes(where: object, views: int, height: int, width: int, together: bool = True) -> None:
    """Refuses scenes too small to train on and sizes that no memory holds.

    `together` asks whether all images fit in memory at once, not only each of them.
    """
    if views < MIN_VIEWS:
        raise scene_error(where, f"a scene needs at least {MIN_VIEWS} views, got {views}")
    if views > MAX_VIEWS:
        raise scene_error(where, f"a scene may have at most {MAX_VIEWS} views, got {views}")
    if min(height, width) < MIN_SIDE or max(height, width) > MAX_SIDE:
        raise scene_error(
            where, f"images must be {MIN_SIDE} to {MAX_SIDE} pixels a side, got {width} x {height}"
        )
    if together and 3 * views * height * width > MAX_VALUES:
        raise scene_error(
            where,
            f"{views} images of {width} x {height} take more than "
            f"{4 * MAX_VALUES / 2**30:g} GiB; hand over fewer or smaller ones",
        )


def check_pixels(where: object, images: NDArray[Any]) -> None:
    """Refuses anything but finite numbers in [0, 1]; images: (views, ...) float."""
    for view, image in enumerate(images):
        if not np.isfinite(image).all():
            raise scene_error(where, f"image {view} holds NaN or infinite pixels")
        if image.min() < 0 or image.max() > 1:
            raise scene_error(
                where,
                f"pixels must lie in [0, 1], image {view} spans "
                f"[{image.min():g}, {image.max():g}]; scale them first",
            )


def check_poses(where: object, poses: NDArray[Any]) -> None:
    """Refuses (views, 4, 4) matrices that are no rigid motions (orthonormal to 1e-3, det +1).

    And a set of them that never moves.
    """
    for view, pose in enumerate(np.asarray(poses, np.float64)):
        if not np.isfinite(pose).all():
            raise scene_error(where, f"the pose of view {view} holds NaN or infinite numbers")
        if np.abs(pose[3] - (0, 0, 0, 1)).max() > 1e-6:
            raise scene_error(where, f"the pose of view {view} must end in the row 0 0 0 1")
        rotation = pose[:3, :3].clip(-2, 2)  # lest absurd numbers overflow
        error = float(np.abs(rotation @ rotation.T - np.eye(3)).max())
        if error > 1e-3:
            raise scene_error(
                where,
                f"the rotation of view {view} is not orthonormal (off by {error:.2g}, "
                "at most 0.001); give world_from_camera without scale or shear",
            )
        if np.linalg.det(rotation) < 0:
            raise scene_error(
                where,
                f"the rotation of view {view} mirrors (determinant -1); flip one camera axis",
            )

    positions = np.asarray(poses, np.float64)[:, :3, 3]
    if np.abs(positions).max() > FARTHEST:
        raise scene_error(where, f"a camera stands farther than {FARTHEST:g} from the origin; rescale")
    if np.ptp(positions, axis=0).max() <= 1e-6 * (1 + np.abs(positions).max()):
        raise scene_error(where, "all cameras stand at one place, which shows no depth; move the camera")


def check_focal(where: object, focal: float, width: int) -> None:
    """Refuses a focal length, in pixels, that no lens has with images of that width."""
    if not (math.isfinite(focal) and focal > 0):
        raise scene_error(where, f"the focal length must be positive, got {focal:g} pixels")
    if not 1e-2 < focal / width < 1e3:
        raise scene_error(
            where, f"a focal length of {focal:g} pixels is absurd for images {width} pixels wide"
        )


def check_centre(where: object, centre: NDArray[Any], width: int, height: int) -> None:
    """Refuses a principal point that is far outside the image: a sign of other units."""
    x, y = (float(value) for value in centre)
    if not (-width < x < 2 * width and -height < y < 2 * height):
        raise scene_error(
            where,
            f"the principal point ({x:g}, {y:g}) is far outside images of {width} x {height}",
        )


def check_distortion(
    where: object,
    distortion: NDArray[Any],
    focal: NDArray[Any],
    centre: NDArray[Any],
    width: int,
    height: int,
) -> None:
    """Refuses distortion that is not finite, or that folds over within the image."""
    if not np.isfinite(distortion).all():
        raise scene_error(where, "the distortion k1 k2 p1 p2 must be finite numbers")
    rim = np.linspace(0, 1, 9)
    x, y = np.meshgrid((rim * width - centre[0]) / focal[0], (rim * height - centre[1]) / focal[1])
    if not invertible(x, y, distortion):
        shown = ", ".join(f"{value:g}" for value in distortion)
        raise scene_error(
            where,
            f"the distortion ({shown}) folds over within the image; undistort the images first",
        )
