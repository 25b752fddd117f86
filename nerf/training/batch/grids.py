"""The occupancy grids of one pass of all members, and the tiles of samples that they select.

M, T, N  samples of a slot in a chunk, tiles, and samples of a tile, as in `tiles`
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from nerf.model.occupancy import (
    OccupancyGrid,
    cell_of,
    contracted_cell_of,
    density_bounds,
    is_visible,
    observe,
    rank_samples,
)
from nerf.training.batch.tiles import TilePlan


@dataclass(frozen=True)
class Tiles:
    """The selected samples of all members, in tiles of one member each."""

    slot: Int[Tensor, " T"]
    sample: Int[Tensor, "T N"]
    """Index of each sample among all of the slots', slot * M + ray * samples + number."""
    active: Bool[Tensor, "T N"]
    """False for what fills up a member's last tile."""


class BatchGrids:
    """The grids of one pass, one row a slot; the last cell takes what is not to be observed."""

    def __init__(self, grid: OccupancyGrid, slots: int, device: torch.device) -> None:
        """Grids like `grid`."""
        self.cells, self.samples, self.ema_decay = grid.cells, grid.samples, grid.ema_decay
        self._equal_lengths, self._contracted = grid.equal_lengths, grid.radius is not None
        count = grid.cells**3 + 2  # one cell for all outside of the box, and the last
        self.occs, self.min_density, self.bound = (
            torch.zeros(slots, count, device=device) for _ in range(3)
        )
        self.box = torch.ones(slots, 2, 3, device=device)
        self.delta = torch.ones(slots, 1, device=device)
        self.max_visible = torch.zeros(slots, dtype=torch.int64, device=device)
        self._first_cell = torch.arange(slots, device=device)[:, None, None] * count

    def load(self, slot: int, grid: OccupancyGrid) -> None:
        """Copies the grid of a run into a slot."""
        for rows, own in self._pairs(slot, grid):
            rows.copy_(own)
        self.box[slot].copy_(grid.box)
        self.delta[slot].fill_(grid.delta)

    def store(self, slot: int, grid: OccupancyGrid) -> None:
        """Copies a slot to the grid of the run."""
        for rows, own in self._pairs(slot, grid):
            own.copy_(rows)

    def cell_of(
        self,
        origins: Float[Tensor, "slots rays 3"],
        directions: Float[Tensor, "slots rays 3"],
        t: Float[Tensor, "slots rays samples"],
        radius: Float[Tensor, " slots"],
    ) -> Int[Tensor, "slots rays samples"]:
        """Index of the cell of each sample among the cells of all slots."""
        if self._contracted:
            each = radius[:, None, None, None]
            cell = contracted_cell_of(self.box, self.cells, each, origins, directions, t)
        else:
            cell = cell_of(self.box, self.cells, origins, directions, t)
        return cell + self._first_cell

    def rank(
        self,
        cell: Int[Tensor, "slots rays samples"],
        deltas: Float[Tensor, "slots rays samples"],
        steps: Int[Tensor, " slots"],
    ) -> tuple[Int[Tensor, "slots M"], Int[Tensor, " slots"]]:
        """The samples of each slot, those to query first, and how many of them are visible."""
        visible = is_visible(self.bound.take(cell), deltas).flatten(1)
        count = visible.sum(1)
        torch.maximum(self.max_visible, count, out=self.max_visible)
        return rank_samples(visible, steps[:, None]).argsort(dim=1, stable=True), count

    def select(self, ranking: Int[Tensor, "slots M"], plan: TilePlan, size: int) -> Tiles:
        """The tiles of `size` samples that `plan` makes of the samples in their order."""
        samples = ranking.shape[1]
        place = plan.first[:, None] + torch.arange(size, device=ranking.device)
        slot = plan.slot[:, None]
        index = slot * samples + place.clamp(max=samples - 1)
        sample = slot * samples + ranking.take(index)
        return Tiles(plan.slot, sample, place < plan.counts[plan.slot][:, None])

    def observe(
        self,
        cell: Int[Tensor, "slots rays samples"],
        tiles: Tiles,
        density: Float[Tensor, "T N"],
        lengths: Float[Tensor, "slots rays samples"],
    ) -> None:
        """Updates the grids with densities queried in the tiles."""
        density = density.detach()
        new_occs = density if self._equal_lengths else density * lengths.take(tiles.sample)
        unused = self.occs.numel() - 1
        observed = torch.where(tiles.active, cell.take(tiles.sample), unused)
        occs, min_density = self.occs.view(-1), self.min_density.view(-1)
        observe(
            occs,
            min_density,
            observed.flatten(),
            density.flatten(),
            new_occs.flatten(),
            self.ema_decay,
        )

    def update_bounds(self, due: Bool[Tensor, " slots"]) -> None:
        """Recomputes the density bounds of the slots for which that is due."""
        bound = density_bounds(self.occs[:, :-1], self.min_density[:, :-1], self.delta)
        # The bound outside of the box, the last but one, stays 0.
        inside = self.bound[:, :-2]
        inside.copy_(torch.where(due[:, None], bound[:, :-1], inside))

    def _pairs(self, slot: int, grid: OccupancyGrid) -> list[tuple[Tensor, Tensor]]:
        return [
            (self.occs[slot, :-1], grid.occs),
            (self.min_density[slot, :-1], grid.min_density),
            (self.bound[slot, :-1], grid.density_bound),
            (self.max_visible[slot], grid.max_visible),
        ]
