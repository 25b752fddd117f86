"""Makes camera poses rigid: without scale, without rounding, with four rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.formats.scene_checks import (
    ROTATION_TOLERANCE,
    check_finite_poses,
    scene_error,
    view_name,
)

Floats = NDArray[np.floating[Any]]
Float64 = NDArray[np.float64]

_MAX_ERROR = 1e-2  # of a rotation that is taken for a rounded one
_MIN_SCALE = 1e-6


def with_four_rows(poses: Floats) -> Floats:
    """Poses (views, 3 or 4, 4) with the last row 0 0 0 1 added where it is left out."""
    if poses.shape[1] == 4:
        return poses
    last = np.tile([[[0.0, 0.0, 0.0, 1.0]]], (len(poses), 1, 1))
    return np.concatenate((poses, last), axis=1)


def make_rigid(where: Path, poses: Floats, names: Sequence[str] = ()) -> tuple[Float64, list[str]]:
    """Poses (views, 4, 4) whose rotations are orthonormal, and a line for each kind of change.

    A rotation that is scaled alike along its axes loses the scale; one that is off by at most 1e-2
    becomes the nearest rotation. Those within `ROTATION_TOLERANCE` stay as they are. Raises
    `InputError` for all others, by the `names` of their images.
    """
    check_finite_poses(where, poses, names)
    rigid = poses.astype(np.float64)
    scaled = rounded = 0
    for view, pose in enumerate(rigid):
        rotation = pose[:3, :3]
        if _error(rotation) <= ROTATION_TOLERANCE:
            continue
        lengths = np.linalg.norm(rotation.clip(-1e9, 1e9), axis=0)
        scale = float(lengths.mean())
        if scale > _MIN_SCALE and np.ptp(lengths) <= 2 * _MAX_ERROR * scale:
            rotation = rotation / scale
            scaled += abs(scale - 1) > _MAX_ERROR
        left, _, right = np.linalg.svd(rotation.clip(-2, 2))
        nearest = left @ right  # the nearest orthonormal matrix
        error = float(np.abs(rotation - nearest).max())
        if error > _MAX_ERROR:
            raise scene_error(
                where,
                f"the rotation of {view_name(view, names)} is not orthonormal (off by {error:.2g}, "
                f"at most {_MAX_ERROR:g}); give world_from_camera without shear or uneven scale",
            )
        if _error(rotation) > ROTATION_TOLERANCE:
            rounded += 1
            rotation = nearest
        pose[:3, :3] = rotation
    notes = []
    if scaled:
        notes.append(f"the rotations of {scaled} poses were scaled; the scale was taken out")
    if rounded:
        notes.append(f"the rotations of {rounded} poses were rounded; the nearest ones are used")
    return rigid, notes


def _error(rotation: Float64) -> float:
    """The largest deviation of R R' from the identity."""
    bounded = rotation.clip(-2, 2)  # so that huge numbers do not overflow
    return float(np.abs(bounded @ bounded.T - np.eye(3)).max())
