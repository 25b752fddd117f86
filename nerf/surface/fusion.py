"""Fuses depth maps into a signed distance on a grid (Curless and Levoy 1996, KinectFusion's TSDF).

tsdf     signed distance to the surface in units of `truncation`, in [-1, 1]; positive before it
extent   the box of the grid: lowest and highest corner, (2, 3), scene units
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from nerf.scenes.cameras.pinhole import Pinhole
from nerf.surface.depth_maps import DepthMap

TRUNCATION_CELLS = 3.0
"""Cells behind a surface up to which its depth map counts."""

_MARGIN = 0.03  # of the box's side, so that a surface does not lie on its border


@dataclass(frozen=True)
class Volume:
    """The fused grid, x by y by z, all of the same cell size in scene units."""

    low: Float[Tensor, 3]
    cell: float
    tsdf: Float[Tensor, "x y z"]
    rgb: Float[Tensor, "x y z 3"]
    seen: Bool[Tensor, "x y z"]
    """Whether some camera saw the grid point, or the surface just before it."""


def surface_extent(points: Float[Tensor, "n 3"], outliers: float = 0.01) -> Float[Tensor, "2 3"]:
    """A box around surface points; this share of them may lie outside on each of its sides."""
    ordered = points.sort(dim=0).values
    last = len(ordered) - 1
    low, high = ordered[round(outliers * last)], ordered[round((1 - outliers) * last)]
    margin = _MARGIN * (high - low).max()
    return torch.stack((low - margin, high + margin))


def fuse(maps: Iterable[DepthMap], extent: Float[Tensor, "2 3"], resolution: int) -> Volume:
    """Averages the signed distances of all maps on a grid of `resolution` points a side, at most.

    Rays that hit nothing carve: all their grid points are outside.
    """
    low, high = extent
    cell = float((high - low).max()) / (resolution - 1)
    shape = ((high - low) / cell).ceil().long() + 1
    axes = [low[k] + cell * torch.arange(int(shape[k])) for k in range(3)]
    points = torch.stack(torch.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
    total = torch.zeros(len(points))
    count = torch.zeros(len(points))
    colour = torch.zeros(len(points), 3)
    near_surface = torch.zeros(len(points))
    for each in maps:
        index, tsdf, rgb = _observe(each, points, TRUNCATION_CELLS * cell)
        total[index] += tsdf
        count[index] += 1
        close = tsdf.abs() < 1
        colour[index[close]] += rgb[close]
        near_surface[index[close]] += 1
    grid = tuple(shape.tolist())
    return Volume(
        low=low,
        cell=cell,
        tsdf=torch.where(count > 0, total / count.clamp(min=1), 1.0).view(grid),
        rgb=(colour / near_surface.clamp(min=1)[:, None]).view(*grid, 3),
        seen=(count > 0).view(grid),
    )


def _observe(
    depth_map: DepthMap, points: Float[Tensor, "n 3"], truncation: float
) -> tuple[Tensor, Float[Tensor, " m"], Float[Tensor, "m 3"]]:
    """The m points that one map observes: their indices, signed distances and colours.

    Left out are points outside its image and those more than `truncation` behind its surface.
    """
    camera = depth_map.camera
    column, row, ahead = project(camera, points)
    x, y = column.floor(), row.floor()
    inside = (ahead > 0) & (x >= 0) & (x < camera.width) & (y >= 0) & (y < camera.height)
    index = inside.nonzero()[:, 0]
    pixel = y[index].long() * camera.width + x[index].long()
    distance = (points[index] - torch.tensor(camera.pose[:3, 3])).norm(dim=-1)
    signed = (depth_map.depth.flatten()[pixel] - distance) / truncation
    signed = torch.where(depth_map.hit.flatten()[pixel], signed, 1.0)
    known = signed >= -1
    rgb = depth_map.rgb.reshape(-1, 3)[pixel[known]]
    return index[known], signed[known].clamp(max=1), rgb


def project(
    camera: Pinhole, points: Float[Tensor, "n 3"]
) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"], Float[Tensor, " n"]]:
    """Column, row and distance along the optical axis of points in the world.

    Where the distance is not positive, column and row are meaningless.
    """
    pose = torch.tensor(camera.pose)
    right, up, backward = ((points - pose[:3, 3]) @ pose[:3, :3]).unbind(-1)
    ahead = -backward
    safe = ahead.clamp(min=1e-9)
    column = float(camera.centre[0]) + float(camera.focal[0]) * right / safe
    row = float(camera.centre[1]) - float(camera.focal[1]) * up / safe  # rows count downwards
    return column, row, ahead
