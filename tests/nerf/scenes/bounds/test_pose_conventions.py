from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nerf.scenes.bounds.pose_conventions import with_convention_warning
from nerf.scenes.bounds.suggest import with_bounds
from nerf.scenes.cameras.canonical_frame import to_canonical_frame
from nerf.scenes.scene import Scene
from tests.nerf.scenes.bounds.known_scenes import wall

FLIP = np.diag([1.0, -1.0, -1.0, 1.0])


def loaded(poses: np.ndarray) -> Scene:
    """The wall as a reader loads it from a file that states these poses."""
    scene = replace(wall(None)[0], notes=())
    moved = to_canonical_frame(poses, np.empty((0, 3)))[0].astype(np.float32)
    return with_convention_warning(with_bounds(replace(scene, world_from_camera=moved)), poses)


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        (lambda poses: poses, ""),
        (lambda poses: poses @ FLIP, "OpenCV's (y down, looking along +z); negate"),
        (
            lambda poses: np.linalg.inv(poses @ FLIP),
            "OpenCV's camera_from_world; invert each",
        ),
    ],
)
def test_poses_of_another_convention_are_named(change: object, warning: str) -> None:
    assert callable(change)
    poses = wall(None)[0].world_from_camera.astype(np.float64)
    notes = loaded(change(poses)).notes
    assert len(notes) == bool(warning)
    assert all(f"only if the poses are {warning}" in note for note in notes)
