"""The zero level of a fused volume as a triangle mesh, by marching cubes (extra `mesh`)."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, UInt8

from nerf.common.errors import InputError
from nerf.surface.fusion import Volume

MIN_PART = 0.01
"""Share of all triangles that a connected part needs, lest it be dropped as a floater."""


@dataclass(frozen=True)
class Mesh:
    """Triangles with a colour for each vertex; seen from outside they run counter-clockwise."""

    vertices: Float[np.ndarray, "n 3"]
    faces: Int[np.ndarray, "m 3"]
    colours: UInt8[np.ndarray, "n 3"]


def extract_mesh(volume: Volume) -> Mesh:
    """The surface between outside and inside; raises `InputError` if there is none."""
    from skimage.measure import marching_cubes

    tsdf, seen = volume.tsdf.numpy(), volume.seen.numpy()
    if not (tsdf[seen] < 0).any():
        raise InputError(
            "no surface lies between near and far: the field is empty or fog everywhere; train it "
            "longer, or look at render.png"
        )
    complete = _complete_cells(seen)
    if not _crosses_zero(tsdf, complete).any():
        raise InputError("no surface was seen from both sides; raise --resolution")
    at, faces, _, _ = marching_cubes(tsdf, 0.0, mask=complete, gradient_direction="descent")
    nearest = tuple(np.rint(at).astype(int).T)
    colours = (volume.rgb.numpy()[nearest] * 255 + 0.5).astype(np.uint8)
    vertices = volume.low.numpy() + volume.cell * at
    return _without_floaters(Mesh(vertices.astype(np.float32), faces.astype(np.int64), colours))


def _corners(grid: np.ndarray) -> list[np.ndarray]:
    """The eight corners of each cell of a grid: views that are one smaller along each axis."""
    ends = slice(None, -1), slice(1, None)
    return [grid[part] for part in itertools.product(ends, repeat=3)]


def _complete_cells(seen: np.ndarray) -> np.ndarray:
    """Which cells have eight corners that were seen, by the index of the last corner.

    That corner is the one at which scikit-image looks up whether a cell is masked. Values jump
    between seen and unseen points, so the other cells have surfaces where there are none.
    """
    complete = np.zeros_like(seen)
    complete[1:, 1:, 1:] = np.logical_and.reduce(_corners(seen))
    return complete


def _crosses_zero(tsdf: np.ndarray, complete: np.ndarray) -> np.ndarray:
    """Which of the complete cells have corners on both sides of the surface."""
    outside = [corner > 0 for corner in _corners(tsdf)]
    mixed = np.logical_or.reduce(outside) & ~np.logical_and.reduce(outside)
    return np.asarray(mixed & complete[1:, 1:, 1:])


def _without_floaters(mesh: Mesh) -> Mesh:
    """The mesh without connected parts of fewer than `MIN_PART` of its triangles."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(mesh.vertices)
    edges = np.concatenate((mesh.faces[:, :2], mesh.faces[:, 1:]))
    graph = coo_array((np.ones(len(edges), np.int8), edges.T), shape=(n, n))
    _, part = connected_components(graph, directed=False)
    part_of_face = part[mesh.faces[:, 0]]
    large = np.bincount(part_of_face) >= MIN_PART * len(mesh.faces)
    faces = mesh.faces[large[part_of_face]]
    used = np.unique(faces)
    renumbered = np.zeros(n, np.int64)
    renumbered[used] = np.arange(len(used))
    return Mesh(mesh.vertices[used], renumbered[faces], mesh.colours[used])
