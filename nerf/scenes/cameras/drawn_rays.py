"""Directions of single pixels of many views, computed when they are drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
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

    axes: Array
    """(views, 3, 3) float64, as columns: with tables, the camera's axes in the world; of ideal
    pinholes, what a pixel to the right and one down add to a direction, and that of the upper left
    corner."""
    nodes: Array | None = None  # (tables, rows, columns, 3) float64, see DirectionTable
    spacing: Array | None = None  # (tables,) int64
    last: Array | None = None  # (tables, 2) int64: largest first row and column of a stencil
    table: Array | None = None  # (views,) int64

    @staticmethod
    def of(scene: Scene, views: Sequence[int]) -> DirectionSource:
        """The cameras of these views, in this order."""
        chosen = list(views)
        rotation = scene.world_from_camera[chosen, :3, :3].astype(np.float64)
        if all(lens_of(scene, view).is_ideal_pinhole for view in chosen):
            focal = scene.focal[chosen].astype(np.float64)
            x, y = (scene.centre[chosen] / focal).T
            # Pixel (c, r) shows (c / f_x - x, -(r / f_y - y), -1) in the camera's frame.
            to_camera = np.zeros_like(rotation)
            to_camera[:, 0, 0], to_camera[:, 1, 1] = 1 / focal[:, 0], -1 / focal[:, 1]
            to_camera[:, :, 2] = np.stack((-x, y, -np.ones_like(x)), axis=1)
            return DirectionSource(rotation @ to_camera)
        tables = [view_table(scene, view) for view in chosen]
        distinct = list({id(table): table for table in tables}.values())  # equal cameras share one
        shapes = np.array([table.nodes.shape[:2] for table in distinct])
        nodes = np.zeros((len(distinct), *shapes.max(0), 3))
        for padded, table, (rows, columns) in zip(nodes, distinct, shapes, strict=True):
            padded[:rows, :columns] = table.nodes
        index_of = {id(table): index for index, table in enumerate(distinct)}
        return DirectionSource(
            axes=rotation,
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
        axes = self.axes[view]
        first, second, third = axes[..., 0], axes[..., 1], axes[..., 2]
        if self.nodes is None:
            in_world = (column + 0.5)[:, None] * first + (row + 0.5)[:, None] * second + third
        else:
            x, y, z = self._interpolate(view, column, row)
            in_world = x[:, None] * first + y[:, None] * second + z[:, None] * third
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
