"""Directions of single pixels of many views, computed when they are drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.cameras.direction_table import STENCIL, lagrange_weights
from nerf.scenes.cameras.lens import lens_of
from nerf.scenes.cameras.pixel_rays import view_table
from nerf.scenes.scene import Scene

Array = Any
"""A numpy array or a torch tensor: the same operators serve both."""


@dataclass(frozen=True)
class DirectionSource:
    """Cameras of some views, and the tables of their lenses, if not all are ideal pinholes."""

    rotation: Array  # (views, 3, 3) float64, world_from_camera
    focal: Array  # (views, 2) float64
    centre: Array  # (views, 2) float64
    nodes: Array | None = None  # (tables, rows, columns, 3) float64, see DirectionTable
    spacing: Array | None = None  # (tables,) int64
    last: Array | None = None  # (tables, 2) int64: largest first row and column of a stencil
    table: Array | None = None  # (views,) int64

    @staticmethod
    def of(scene: Scene, views: Sequence[int]) -> DirectionSource:
        """The cameras of these views, in this order."""
        chosen = list(views)
        source = DirectionSource(
            rotation=scene.world_from_camera[chosen, :3, :3].astype(np.float64),
            focal=scene.focal[chosen].astype(np.float64),
            centre=scene.centre[chosen].astype(np.float64),
        )
        if all(lens_of(scene, view).is_ideal_pinhole for view in chosen):
            return source
        tables = [view_table(scene, view) for view in chosen]
        distinct = list({id(table): table for table in tables}.values())  # equal cameras share one
        shapes = np.array([table.nodes.shape[:2] for table in distinct])
        nodes = np.zeros((len(distinct), *shapes.max(0), 3))
        for padded, table, (rows, columns) in zip(nodes, distinct, shapes, strict=True):
            padded[:rows, :columns] = table.nodes
        index_of = {id(table): index for index, table in enumerate(distinct)}
        return replace(
            source,
            nodes=nodes,
            spacing=np.array([table.spacing for table in distinct]),
            last=shapes - STENCIL,
            table=np.array([index_of[id(table)] for table in tables]),
        )

    def map(self, convert: Callable[[NDArray[Any]], Array]) -> DirectionSource:
        """The same with each array converted, for example to a tensor on a GPU."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        return DirectionSource(**{k: None if a is None else convert(a) for k, a in arrays.items()})

    def directions(self, view: Array, column: Array, row: Array) -> Array:
        """Unit directions (rays, 3) float64 in the world, through the centres of pixels.

        `view` counts the views of this object; all three are integers (rays,).
        """
        right, up, back = (self.rotation[view, :, axis] for axis in range(3))
        if self.nodes is None:
            focal, centre = self.focal[view], self.centre[view]
            x = (column + 0.5 - centre[:, 0]) / focal[:, 0]
            y = (row + 0.5 - centre[:, 1]) / focal[:, 1]
            in_world = x[:, None] * right - y[:, None] * up - back
        else:
            x, y, z = self._interpolate(view, column, row)
            in_world = x[:, None] * right + y[:, None] * up + z[:, None] * back
        return in_world / ((in_world * in_world).sum(-1) ** 0.5)[:, None]

    def _interpolate(self, view: Array, column: Array, row: Array) -> tuple[Array, Array, Array]:
        """Directions in the camera frame from the 4 x 4 nodes around each pixel."""
        assert self.nodes is not None
        assert self.spacing is not None
        assert self.last is not None
        assert self.table is not None
        table = self.table[view]
        spacing, last = self.spacing[table], self.last[table]
        top = (row // spacing - 1).clip(0, None).clip(None, last[:, 0])
        left = (column // spacing - 1).clip(0, None).clip(None, last[:, 1])
        down = lagrange_weights((row + 0.5) / spacing - top)
        across = lagrange_weights((column + 0.5) / spacing - left)
        total: Array = 0.0
        for i, weight in enumerate(down):
            line = sum(
                share[:, None] * self.nodes[table, top + i, left + j]
                for j, share in enumerate(across)
            )
            total = total + weight[:, None] * line
        return total[:, 0], total[:, 1], total[:, 2]
