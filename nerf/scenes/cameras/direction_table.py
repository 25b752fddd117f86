"""A lens's directions on a coarse grid of pixels, from which those of all pixels are interpolated.

Inverting a distortion takes several steps of Newton's method: too slow for every ray that is drawn.
But directions change smoothly across an image, so that a cubic through the four nearest nodes along
each axis gives them to within `MAX_ERROR`; `direction_table` checks that.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.cameras.lens import Lens, plane_to_directions, shown

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

MAX_ERROR = 2e-5
"""Radians by which an interpolated direction may be off: 0.001 degrees."""

STENCIL = 4
"""Nodes along each axis that a direction is interpolated from."""

_SPACINGS = (16, 8, 4, 2, 1)
_MIN_CELLS = 8  # along each side


@dataclass(frozen=True)
class DirectionTable:
    """Directions in the camera frame, not of unit length, at the corners of square cells.

    Node (i, j) lies i * spacing pixels below the image's upper edge and j * spacing pixels to the
    right of its left edge: `nodes` is (rows, columns, 3).
    """

    nodes: Array
    spacing: int

    def at_grid(self, columns: Indices, rows: Indices) -> Array:
        """Directions (rows, columns, 3) through the centres of a grid of pixels."""
        down = self._weights(rows, self.nodes.shape[0])
        across = self._weights(columns, self.nodes.shape[1])
        by_row = np.tensordot(down, self.nodes, 1)  # (rows, node columns, 3)
        return np.asarray(np.matmul(across, by_row))

    def _weights(self, pixels: Indices, nodes: int) -> Array:
        """The weight (pixels, nodes) of each node for each pixel along one axis."""
        first = (pixels // self.spacing - 1).clip(0, nodes - STENCIL)
        weights = np.zeros((len(pixels), nodes))
        for offset, weight in enumerate(lagrange_weights((pixels + 0.5) / self.spacing - first)):
            weights[np.arange(len(pixels)), first + offset] = weight
        return weights


def lagrange_weights(t: Any) -> tuple[Any, Any, Any, Any]:
    """Weights at `t` of the values at 0, 1, 2 and 3 in the cubic through them.

    `t` may be a numpy array or a torch tensor.
    """
    from_0, from_1, from_2, from_3 = t, t - 1, t - 2, t - 3
    return (
        -from_1 * from_2 * from_3 / 6,
        from_0 * from_2 * from_3 / 2,
        -from_0 * from_1 * from_3 / 2,
        from_0 * from_1 * from_2 / 6,
    )


@lru_cache(maxsize=256)
def direction_table(
    lens: Lens, focal: tuple[float, float], centre: tuple[float, float], width: int, height: int
) -> DirectionTable:
    """The coarsest table that is accurate wherever the lens shows something."""
    camera = _Pixels(lens, focal, centre)
    for spacing in [s for s in _SPACINGS if s == 1 or min(width, height) >= _MIN_CELLS * s]:
        columns, rows = (
            spacing * np.arange(max(-(-size // spacing) + 1, STENCIL)) for size in (width, height)
        )
        table = DirectionTable(camera.directions(columns, rows)[0], spacing)
        if spacing == 1 or _worst_error(table, camera, width, height) < MAX_ERROR:
            break
    return table


@dataclass(frozen=True)
class _Pixels:
    """The camera that a table is for."""

    lens: Lens
    focal: tuple[float, float]
    centre: tuple[float, float]

    def directions(self, columns: Any, rows: Any) -> tuple[Array, NDArray[np.bool_]]:
        """Exact directions (rows, columns, 3), and which of them the lens shows."""
        x, y = np.meshgrid(
            (columns - self.centre[0]) / self.focal[0], (rows - self.centre[1]) / self.focal[1]
        )
        return plane_to_directions(self.lens, x, y), shown(self.lens, x, y)


def _worst_error(table: DirectionTable, camera: _Pixels, width: int, height: int) -> float:
    """The largest error in radians among pixels in the middle of cells and at the rim."""
    first = table.spacing // 2
    columns, rows = (
        np.append(np.arange(first, size, table.spacing), size - 1) for size in (width, height)
    )
    exact, visible = camera.directions(columns + 0.5, rows + 0.5)
    return float(_angles(table.at_grid(columns, rows), exact)[visible].max(initial=0))


def _angles(a: Array, b: Array) -> Array:
    """Angles in radians between directions, accurate when they are small."""
    with np.errstate(all="ignore"):
        a, b = (v / np.linalg.norm(v, axis=-1, keepdims=True) for v in (a, b))
        return np.asarray(np.linalg.norm(a - b, axis=-1))
