"""Recognises poses that were written in another convention, by whether images match under it.

A matrix does not show whether it maps to the world or from it, or whether the camera looks along
-z (OpenGL, which the formats prescribe) or +z (OpenCV, which many tools have). Under the wrong
convention, what a pixel of one image shows is not where the other images show it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.bounds.matching import INWARD, MIN_POINTS, OUTWARD, match_points
from nerf.scenes.bounds.suggest import GUESS
from nerf.scenes.cameras.canonical_frame import CAMERA_DISTANCE, looks_outward, to_canonical_frame
from nerf.scenes.scene import Scene

Array = NDArray[np.float64]

_NEGATE = "negate the second and third column of each"


def _turned(poses: Array) -> Array:
    """Poses whose cameras' y and z axes, two columns, are negated."""
    return np.asarray(poses * np.array([1.0, -1.0, -1.0, 1.0]), np.float64)


def _inverse(poses: Array) -> Array:
    return np.asarray(np.linalg.inv(poses), np.float64)


_OTHERS: dict[str, tuple[Callable[[Array], Array], str]] = {
    "OpenCV's (y down, looking along +z)": (_turned, _NEGATE),
    "camera_from_world": (_inverse, "invert each"),
    "OpenCV's camera_from_world": (
        lambda poses: _turned(_inverse(poses)),
        f"invert each, then {_NEGATE}",
    ),
}
"""Conventions by name: how to get world_from_camera in OpenGL's, (views, 4, 4), and in words."""


def with_convention_warning(scene: Scene, poses: Array) -> Scene:
    """The scene, with a note if its images match only under another convention of its poses.

    `poses` are its views' as the file has them. Nothing is tried if the images match as they are.
    """
    if scene.bounds.basis != GUESS:
        return scene
    matched = {name: _matched(scene, convert(poses)) for name, (convert, _) in _OTHERS.items()}
    best = max(matched, key=lambda name: matched[name])
    if matched[best] < MIN_POINTS:
        return scene
    note = f"warning: the images match only if the poses are {best}; {_OTHERS[best][1]}"
    return replace(scene, notes=(*scene.notes, note))


def _matched(scene: Scene, poses: Array) -> int:
    """How many points match between the images if their cameras have these poses."""
    moved, _, _ = to_canonical_frame(poses, np.empty((0, 3)))
    sweep = OUTWARD if looks_outward(poses) else INWARD
    read_so = replace(scene, world_from_camera=moved.astype(np.float32))
    return len(match_points(read_so, CAMERA_DISTANCE, sweep)[0])
