from __future__ import annotations

import numpy as np
import pytest

from nerf.scenes.bounds.matching import match_points
from tests.nerf.scenes.bounds.known_scenes import wall


@pytest.mark.parametrize("lens", [None, (-0.2, 0.05, 0.002, -0.003)])
def test_matched_points_lie_on_the_surface(lens: tuple[float, ...] | None) -> None:
    scene, _ = wall(lens)
    points, distances = match_points(scene, 4.0)
    assert len(points) > 100
    wrong = np.abs(points[:, 2]) > 0.35  # half a step of the sweep is 0.13 at 4 units
    assert wrong.mean() < 0.03
    assert 2.7 < np.percentile(distances, 2) < np.percentile(distances, 98) < 6.2
