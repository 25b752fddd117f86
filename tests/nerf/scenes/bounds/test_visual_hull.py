from __future__ import annotations

import numpy as np

from nerf.scenes.bounds.visual_hull import carve_visual_hull, silhouettes
from nerf.scenes.builtin import bricks
from nerf.scenes.builtin.raytrace import camera_rays
from tests.nerf.scenes.bounds.known_scenes import FOCAL, SIZE, VIEWS, scene_of


def test_hull_contains_every_surface_point(
    locomotive_depths: tuple[np.ndarray, np.ndarray],
) -> None:
    poses, distances = locomotive_depths
    scene = scene_of(np.repeat(np.isfinite(distances)[..., None], 3, -1), poses, FOCAL)
    masks = silhouettes(scene)
    assert masks is not None
    hull, edge = carve_visual_hull(scene, masks, np.zeros(3), 1.6)
    cubes = {tuple(cube) for cube in np.floor((hull + 1.6) / edge).astype(int)}
    for view in range(0, VIEWS, 3):
        rays = camera_rays(poses[view], FOCAL, SIZE)
        hit = np.isfinite(distances[view])
        surface = rays.origins[:, hit] + distances[view][hit] * rays.directions[:, hit]
        in_hull = [tuple(cube) in cubes for cube in np.floor((surface.T + 1.6) / edge).astype(int)]
        assert np.mean(in_hull) > 0.995  # a coordinate may lie on the border of two cubes
    volume = len(hull) * edge**3
    assert volume < 0.3 * 3.2**3


def test_images_filled_to_their_edges_have_no_silhouette() -> None:
    images = np.random.default_rng(0).uniform(0.1, 1, (VIEWS, 10, 10, 3))
    assert silhouettes(scene_of(images, bricks.camera_poses(VIEWS), 14.0)) is None
