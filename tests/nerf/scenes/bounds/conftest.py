from __future__ import annotations

import numpy as np
import pytest

from nerf.scenes.builtin import bricks
from nerf.scenes.builtin.locomotive import build_locomotive
from nerf.scenes.builtin.raytrace import LitModel, camera_rays, first_hits
from tests.nerf.scenes.bounds.known_scenes import FOCAL, SIZE, VIEWS


@pytest.fixture(scope="module")
def locomotive_depths() -> tuple[np.ndarray, np.ndarray]:
    """Cameras around the built-in object, and the true distance of each pixel's surface."""
    model, poses = LitModel(build_locomotive(), [], 1), bricks.camera_poses(VIEWS)
    distances = [first_hits(model, camera_rays(pose, FOCAL, SIZE))[0] for pose in poses]
    return poses, np.stack(distances)
