"""Writes points and meshes as binary PLY files, which Blender, MeshLab and CloudCompare open."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, UInt8

_VERTEX = np.dtype(
    [(axis, "<f4") for axis in "xyz"] + [(name, "u1") for name in ("red", "green", "blue")]
)
_FACE = np.dtype([("count", "u1"), ("vertices", "<i4", 3)])
_PLY_TYPES = {"f": "float", "u": "uchar"}


def write_ply(
    path: Path,
    points: Float[np.ndarray, "n 3"],
    colours: UInt8[np.ndarray, "n 3"],
    faces: Int[np.ndarray, "m 3"] | None = None,
) -> None:
    """Writes coloured points, and the triangles between them if there are any."""
    vertices = np.empty(len(points), _VERTEX)
    for k, axis in enumerate("xyz"):
        vertices[axis] = points[:, k]
    for k, name in enumerate(("red", "green", "blue")):
        vertices[name] = colours[:, k]
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(points)}"]
    header += [f"property {_PLY_TYPES[_VERTEX[name].kind]} {name}" for name in _VERTEX.names or ()]
    body = vertices.tobytes()
    if faces is not None:
        triangles = np.empty(len(faces), _FACE)
        triangles["count"], triangles["vertices"] = 3, faces
        header += [f"element face {len(faces)}", "property list uchar int vertex_indices"]
        body += triangles.tobytes()
    path.write_bytes("\n".join([*header, "end_header", ""]).encode() + body)
