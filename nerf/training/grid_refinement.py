"""Replaces the grids of a voxel field by finer ones, around what they show."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from nerf.model.contraction import contract
from nerf.model.nerf import Nerf
from nerf.training.ray_batches import TrainingRays

BOX_RAYS = 4096
"""Training rays that are rendered to see where light is stopped."""

SHARE_OUTSIDE = 1e-3
"""Share of all light stopped that may lie beyond each side of the new box."""

MARGIN = 0.05
"""What is added to each side of the box, as a share of its extent."""


def refine_grids(model: Nerf, rays: TrainingRays, cells: int, seed: int) -> None:
    """Replaces the grid of each pass by one of about `cells`^3 cubes around all that stops light.

    The rays that it looks along are drawn by `seed`, apart from the run's own draws.
    """
    generator = Generator(rays.device).manual_seed(seed)
    batch = rays.draw(BOX_RAYS, generator)
    with torch.no_grad():
        renderings = model(batch.origins, batch.directions, batch.background)
    for field, rendering in zip(model.voxel_fields(), renderings, strict=True):
        positions = batch.origins[:, None] + rendering.t[..., None] * batch.directions[:, None]
        if field.contraction_radius is not None:
            positions = contract(positions, field.contraction_radius)
        box = box_of_light(positions.flatten(0, 1), rendering.weights.flatten())
        low, high = field.grid.box
        # A field that shows nothing yet keeps its box.
        box = torch.stack((box[0].maximum(low), box[1].minimum(high)))
        if not (box[1] > box[0]).all():
            box = field.grid.box.clone()
        field.grid.regrid(cells, box)


def box_of_light(
    positions: Float[Tensor, "points 3"], weights: Float[Tensor, " points"]
) -> Float[Tensor, "2 3"]:
    """A box that holds all but `SHARE_OUTSIDE` of the weight beyond each side, with a margin."""
    ends = []
    for axis in range(3):
        ordered, order = positions[:, axis].sort()
        share = weights[order].double().cumsum(0)
        share = share / share[-1]
        below, above = (share < SHARE_OUTSIDE).sum(), (share <= 1 - SHARE_OUTSIDE).sum()
        ends.append(torch.stack((ordered[below], ordered[above.clamp(max=len(ordered) - 1)])))
    low, high = torch.stack(ends, -1)
    margin = MARGIN * (high - low)
    return torch.stack((low - margin, high + margin))
