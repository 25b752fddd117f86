"""The frame that captures are brought into: z up, looked-at point at the origin, 4 units away."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CAMERA_DISTANCE = 4.0
"""Mean distance of the cameras from the origin, as in the synthetic scenes of the NeRF paper."""

_PULL = 1e-3
_SPREADS_AHEAD = 4


def to_canonical_frame(poses: Array, points: Array) -> tuple[Array, Array, float]:
    """Poses (views, 4, 4) and points (n, 3) in the canonical frame, and the scale applied."""
    middle = focus_point(poses, np.median(points, axis=0) if len(points) else None)
    turn = _upright(poses[:, :3, 1].mean(0))
    distance = np.linalg.norm(poses[:, :3, 3] - middle, axis=1).mean()
    scale = float(CAMERA_DISTANCE / max(distance, 1e-9))
    moved = poses.copy()
    moved[:, :3, :3] = turn @ poses[:, :3, :3]
    moved[:, :3, 3] = scale * (poses[:, :3, 3] - middle) @ turn.T
    return moved, scale * (points - middle) @ turn.T, scale


def focus_point(poses: Array, prior: Array | None = None) -> Array:
    """The point nearest to all optical axes, in the sense of least squares.

    Where the axes are nearly parallel they do not tell how far along them it lies; a weak pull
    towards `prior` then does: the median of the points, or without any, a place some times as far
    ahead as the cameras are apart. Cameras that look outward look at nothing: their own middle.
    """
    positions, axes = poses[:, :3, 3], -poses[:, :3, 2]
    if prior is None:
        spread = float(np.sqrt(positions.var(0).sum()))
        prior = positions.mean(0) + _SPREADS_AHEAD * spread * axes.mean(0)
    across = np.eye(3) - axes[:, :, None] * axes[:, None, :]
    matrix = across.mean(0) + _PULL * np.eye(3)
    middle = np.linalg.solve(matrix, (across @ positions[:, :, None]).mean(0)[:, 0] + _PULL * prior)
    ahead = ((middle - positions) * axes).sum(1).mean()
    return np.asarray(middle if ahead > 0 else positions.mean(0))


def _upright(up: Array) -> Array:
    """The smallest rotation that turns `up` into +z; none where `up` is no direction."""
    length = np.linalg.norm(up)
    if length < 0.1:
        return np.eye(3)
    x, y, z = up / length
    if z < -1 + 1e-9:
        return np.diag([1.0, -1.0, -1.0])
    skew = np.array([[0, 0, -x], [0, 0, -y], [x, y, 0]])
    return np.asarray(np.eye(3) + skew + skew @ skew / (1 + z))
