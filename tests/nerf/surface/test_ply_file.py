from __future__ import annotations

from pathlib import Path

import numpy as np

from nerf.surface.ply_file import write_ply


def test_a_reader_of_others_gets_points_colours_and_triangles(tmp_path: Path) -> None:
    import trimesh

    rng = np.random.default_rng(0)
    points = rng.normal(size=(5, 3)).astype(np.float32)
    colours = rng.integers(0, 256, (5, 3)).astype(np.uint8)
    faces = np.array([[0, 1, 2], [2, 3, 4]])
    write_ply(tmp_path / "mesh.ply", points, colours, faces)
    mesh = trimesh.load(tmp_path / "mesh.ply", process=False)
    np.testing.assert_array_equal(mesh.vertices.astype(np.float32), points)
    np.testing.assert_array_equal(mesh.faces, faces)
    np.testing.assert_array_equal(mesh.visual.vertex_colors[:, :3], colours)

    write_ply(tmp_path / "points.ply", points, colours)
    cloud = trimesh.load(tmp_path / "points.ply")
    np.testing.assert_array_equal(cloud.vertices.astype(np.float32), points)
    np.testing.assert_array_equal(cloud.colors[:, :3], colours)
