"""Reads the points of PLY files, such as nerfstudio's sparse_pc.ply.

Safe against damaged or forged files: counts are checked against the bytes that are there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.formats.scene_checks import MAX_COORDINATE, scene_error
from nerf.scenes.formats.untrusted_files import regular_file

MAX_BYTES = 2**30
MAX_POINTS = 500_000
"""More points than this are thinned out evenly: bounds and pictures need no more."""

_MAX_HEADER_BYTES = 2**16
_TYPES = {
    **{"char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1"},
    **{"short": "<i2", "int16": "<i2", "ushort": "<u2", "uint16": "<u2"},
    **{"int": "<i4", "int32": "<i4", "uint": "<u4", "uint32": "<u4"},
    **{"float": "<f4", "float32": "<f4", "double": "<f8", "float64": "<f8"},
}


@dataclass(frozen=True)
class _Header:
    binary: bool
    points: int
    columns: list[tuple[str, str]]  # name and numpy type of each property of a vertex
    end: int  # offset of the first byte after the header


def read_points(file: Path, follow_links: bool = False) -> NDArray[np.float64]:
    """Positions (n, 3) of the file's vertices; raises `InputError` for files of another form."""
    if regular_file(file, follow_links).stat().st_size > MAX_BYTES:
        raise scene_error(file, f"is larger than {MAX_BYTES // 2**30} GiB; thin out its points")
    content = file.read_bytes()
    header = _read_header(file, content)
    if header.binary:
        table = np.dtype(header.columns)
        if header.points * table.itemsize > len(content) - header.end:
            raise scene_error(
                file, f"is truncated: it promises {header.points} points; copy it again"
            )
        vertices = np.frombuffer(content, table, header.points, header.end)
        points = np.stack([vertices[axis].astype(np.float64) for axis in "xyz"], axis=-1)
    else:
        points = _ascii_points(file, content[header.end :], header)
    if not (np.abs(points) < MAX_COORDINATE).all():
        raise scene_error(file, f"has a point that is NaN or beyond {MAX_COORDINATE:g}")
    return points[:: max(len(points) // MAX_POINTS, 1)]


def _ascii_points(file: Path, content: bytes, header: _Header) -> NDArray[np.float64]:
    places = [[name for name, _ in header.columns].index(axis) for axis in "xyz"]
    lines = content.splitlines()[: header.points]
    try:
        rows = [[float(line.split()[place]) for place in places] for line in lines]
    except (ValueError, IndexError):
        raise scene_error(
            file, "has a vertex that is not a row of numbers; write it again"
        ) from None
    if len(rows) < header.points:
        raise scene_error(file, f"is truncated: it promises {header.points} points; copy it again")
    return np.array(rows, np.float64).reshape(-1, 3)


def _read_header(file: Path, content: bytes) -> _Header:
    end = content.find(b"end_header", 0, _MAX_HEADER_BYTES)
    newline = content.find(b"\n", end)
    lines = content[: max(end, 0)].decode("ascii", "replace").splitlines()
    if end < 0 or newline < 0 or not lines or lines[0].strip() != "ply":
        raise scene_error(file, "is not a PLY file; write it again")
    words = [line.split() for line in lines]
    layout = next((w[1] for w in words if w[0:1] == ["format"] and len(w) > 1), "")
    if layout not in ("ascii", "binary_little_endian"):
        raise scene_error(file, f"has the format {layout[:30]!r}; save it binary_little_endian")
    elements = [index for index, w in enumerate(words) if w[0:1] == ["element"]]
    if not elements or words[elements[0]][1:2] != ["vertex"] or len(words[elements[0]]) != 3:
        raise scene_error(file, "does not begin with its vertices; save the points alone")
    count = words[elements[0]][2]
    after = elements[1] if len(elements) > 1 else len(words)
    properties = [w for w in words[elements[0] : after] if w[0:1] == ["property"]]
    columns = [(w[2], _TYPES[w[1]]) for w in properties if len(w) == 3 and w[1] in _TYPES]
    names = [name for name, _ in columns]
    if len(columns) < len(properties) or not {"x", "y", "z"} <= set(names) or not count.isdigit():
        raise scene_error(file, "has vertices without x, y and z, or with lists; save points alone")
    if len(set(names)) < len(names):
        raise scene_error(file, "has two properties of one name; write it again")
    return _Header(layout != "ascii", int(count), columns, newline + 1)
