from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from nerf.common.errors import InputError
from nerf.scenes.images import Images
from nerf.scenes.scene import Scene
from nerf.surface.depth_maps import depth_maps
from nerf.surface.fusion import Volume, fuse, surface_extent
from nerf.surface.mesh import Mesh, extract_mesh
from tests.nerf.surface.analytic_ball import ball_model


@pytest.fixture(scope="module")
def volume(ball: Scene) -> Volume:
    # The scene's cameras are all above the ball; these see it from below as well.
    below = ball.world_from_camera.copy()
    below[:, :3] *= np.array([1, 1, -1])[:, None]
    below[:, :, 1] *= -1  # mirrored once more, so that the frame stays right-handed
    poses = np.concatenate((ball.world_from_camera, below)).astype(np.float32)
    doubled = dataclasses.replace(
        ball,
        images=Images(np.zeros((len(poses), 192, 192, 3), np.float32)),
        world_from_camera=poses,
        focal=np.concatenate((ball.focal, ball.focal)) * 8,
        centre=np.concatenate((ball.centre, ball.centre)) * 8,
    )
    maps = list(depth_maps(ball_model(200), doubled, range(0, len(poses), 2), 10_000))
    extent = surface_extent(torch.cat([each.points[each.hit] for each in maps]))
    assert extent.abs().sub(1).abs().max() < 0.1
    return fuse(maps, extent, 40)


@pytest.fixture(scope="module")
def mesh(volume: Volume) -> Mesh:
    return extract_mesh(volume)


def test_the_mesh_of_a_ball_is_a_closed_sphere_of_its_colours(mesh: Mesh) -> None:
    radius = np.linalg.norm(mesh.vertices, axis=1)
    assert np.median(radius) == pytest.approx(1, abs=0.02)
    assert np.abs(radius - 1).max() < 0.12
    expected = 255 * (0.5 + 0.4 * mesh.vertices)
    assert np.median(np.abs(mesh.colours - expected)) < 12


def test_triangles_face_outwards(mesh: Mesh) -> None:
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    volume = np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6
    assert volume == pytest.approx(4 / 3 * np.pi, rel=0.05)


def test_small_parts_that_float_are_dropped(volume: Volume, mesh: Mesh) -> None:
    tsdf = volume.tsdf.clone()
    assert tsdf[2, 2, 2] > 0
    tsdf[2, 2, 2] = -0.5  # an octahedron of eight triangles in a corner
    again = extract_mesh(dataclasses.replace(volume, tsdf=tsdf))
    assert len(again.faces) == len(mesh.faces)


def test_a_volume_without_an_inside_has_no_mesh(volume: Volume) -> None:
    with pytest.raises(InputError, match="no surface"):
        extract_mesh(dataclasses.replace(volume, tsdf=torch.ones_like(volume.tsdf)))
