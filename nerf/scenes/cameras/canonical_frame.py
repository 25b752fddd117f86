"""The canonical world frame of captures: z up, origin at the focus point, cameras 4 units away.

Poses are world_from_camera matrices (views, 4, 4) in OpenGL's convention: the columns of the
rotation are the camera's right, up and backward axes in the world.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CAMERA_DISTANCE = 4.0
"""Mean distance of the cameras from the origin, as in the synthetic scenes of the NeRF paper."""

_PRIOR_WEIGHT = 1e-3
_PRIOR_SPREADS_AHEAD = 4


def to_canonical_frame(
    poses: Array, points: Array, panoramas: bool = False
) -> tuple[Array, Array, float]:
    """Transforms poses (views, 4, 4) and points (n, 3), and returns the scale applied to both.

    The transform is a similarity: x -> scale * rotation @ (x - focus). Panoramas look everywhere:
    their focus is the mean camera position. Raises `ValueError` without poses.
    """
    if not len(poses):
        raise ValueError("there are no cameras")
    prior = np.median(points, axis=0) if len(points) else None
    focus = poses[:, :3, 3].mean(0) if panoramas else focus_point(poses, prior)
    rotation = _rotation_to_upright(poses[:, :3, 1].mean(0))
    distance = np.linalg.norm(poses[:, :3, 3] - focus, axis=1).mean()
    scale = float(CAMERA_DISTANCE / max(distance, 1e-9))
    moved = poses.copy()
    moved[:, :3, :3] = rotation @ poses[:, :3, :3]
    moved[:, :3, 3] = scale * (poses[:, :3, 3] - focus) @ rotation.T
    return moved, scale * (points - focus) @ rotation.T, scale


def focus_point(poses: Array, prior: Array | None = None) -> Array:
    """The point nearest to all optical axes, by least squares.

    Nearly parallel axes leave open how far ahead of the cameras it lies. So the point is weakly
    pulled towards `prior`, the median of the scene's points; without points, towards a place ahead
    of the cameras by 4 times their spread. If the cameras look outward, the least-squares point
    lies behind them, and the mean camera position is returned.
    """
    focus, ahead = _nearest_to_axes(poses, prior)
    return focus if ahead > 0 else np.asarray(poses[:, :3, 3].mean(0))


def looks_outward(poses: Array) -> bool:
    """Whether the cameras look away from each other, as those of a panorama do."""
    return _nearest_to_axes(poses, None)[1] <= 0


def _nearest_to_axes(poses: Array, prior: Array | None) -> tuple[Array, float]:
    """The point of `focus_point` by least squares, and how far ahead of the mean camera it is."""
    positions, axes = poses[:, :3, 3], -poses[:, :3, 2]
    if prior is None:
        spread = float(np.sqrt(positions.var(0).sum()))
        prior = positions.mean(0) + _PRIOR_SPREADS_AHEAD * spread * axes.mean(0)
    # P_i = I - a_i a_i' projects onto the plane across axis i. The squared distance of x from that
    # axis is |P_i (x - o_i)|^2; with the pull w |x - prior|^2 the minimum solves
    #   (mean P_i + w I) x = mean P_i o_i + w prior.
    across = np.eye(3) - axes[:, :, None] * axes[:, None, :]
    matrix = across.mean(0) + _PRIOR_WEIGHT * np.eye(3)
    focus = np.linalg.solve(
        matrix, (across @ positions[:, :, None]).mean(0)[:, 0] + _PRIOR_WEIGHT * prior
    )
    return np.asarray(focus), float(((focus - positions) * axes).sum(1).mean())


def _rotation_to_upright(up: Array) -> Array:
    """The smallest rotation that turns `up` to +z; the identity if `up` has hardly any length."""
    length = np.linalg.norm(up)
    if length < 0.1:  # the cameras' up axes cancel out
        return np.eye(3)
    x, y, z = up / length
    if z < -1 + 1e-9:  # upside down: half a turn about x
        return np.diag([1.0, -1.0, -1.0])
    # Rodrigues' formula about up x z: R = I + K + K^2 / (1 + cos), with cos = z.
    skew = np.array([[0, 0, -x], [0, 0, -y], [x, y, 0]])
    return np.asarray(np.eye(3) + skew + skew @ skew / (1 + z))
