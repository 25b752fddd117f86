"""Empty space: a grid learnt while training that says which samples need not be asked.

A cell remembers the densest and the thinnest that the field has been in it, both slowly forgotten.
A sample is left out where its cell has never held enough to be seen, and where even the thinnest
of the cells before it stop the ray's light (after instant-NGP's and nerfacc's grids). What is left
out counts as empty. Nothing is left out before the first refresh, and nothing by a full grid.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from nerf.common.shapes import Bool, Float, Int

WARM_UP = 48
"""Steps, after those over which the learning rate rises, until samples are first left out."""

REFRESH_EVERY = 16
"""Steps between two refreshes of what is left out."""

FORGET = 0.95
"""Share of the densest that a cell still remembers after a step in which it was asked."""

SEEN = 0.01
"""Largest share of light that a coarse sample in a cell taken for empty may stop."""

SPENT = -math.log(1e-3)
"""Optical depth behind which a sample makes less than a thousandth of a picture."""

SHARES = 32
"""Sizes that the chosen part of a batch of rays can have; a power of two."""

_EMPTY = -1.0


class Occupancy(nn.Module):
    """`cells`^3 cells over a box, for rays of so many `samples`, usually `delta` apart.

    It has no parameters; its buffers are the memory.
    """

    box: Tensor
    densest: Tensor
    thinnest: Tensor
    known: Tensor
    wanted: Tensor

    def __init__(self, cells: int, box: Float[Tensor, "2 3"], samples: int, delta: float) -> None:
        super().__init__()
        self.cells = cells
        self.samples = samples
        self.delta = delta
        self.forget = FORGET
        self.register_buffer("box", box.clone())
        count = cells**3 + 1  # the last one stands for all that lies outside
        self.register_buffer("densest", torch.full((count,), math.inf))
        self.register_buffer("thinnest", torch.full((count,), math.inf))
        # Density that each cell has at least, or _EMPTY, as of the last refresh.
        self.register_buffer("known", torch.zeros(count))
        # Most samples that any batch has needed since the last `fit`.
        self.register_buffer("wanted", torch.zeros((), dtype=torch.int64))
        self.room: int | None = None

    def cell_of(
        self,
        origins: Float[Tensor, "rays 3"],
        directions: Float[Tensor, "rays 3"],
        t: Float[Tensor, "rays samples"],
    ) -> Int[Tensor, "rays samples"]:
        """The number of the cell that holds each sample."""
        scale = self.cells / (self.box[1] - self.box[0])
        start, step = (origins - self.box[0]) * scale, directions * scale
        number = torch.zeros_like(t, dtype=torch.int64)
        inside = torch.ones_like(t, dtype=torch.bool)
        for axis in range(3):
            along = torch.addcmul(start[:, axis, None], step[:, axis, None], t)
            inside.logical_and_(along >= 0).logical_and_(along < self.cells)
            number.mul_(self.cells).add_(along.long())
        return number.masked_fill_(~inside, self.cells**3)

    def chosen(
        self,
        cell: Int[Tensor, "rays samples"],
        deltas: Float[Tensor, "rays samples"],
        turn: Tensor | None = None,
    ) -> Int[Tensor, " points"]:
        """The numbers of the samples to ask, out of rays x samples, each once.

        All that may show, and of the others as many as fill the last of `SHARES` equal shares of
        the batch: kernels are made anew for every size they meet. Which others changes with the
        training steps that `turn` counts; they keep the memory true where nothing is asked any
        more. A training step asks for `room` samples, where that is settled, and so need not wait
        for the device to count what is needed.
        """
        needed = self.needed(cell, deltas).flatten()
        number = torch.arange(len(needed), device=cell.device)
        others = (number * 37 + (0 if turn is None else turn * 53)) & (SHARES - 1)
        # What does not fit into a room is then spread over all rays, and changes with the turn.
        rank = torch.where(needed, others, SHARES + others).to(torch.uint8)
        wanted = needed.sum()
        room = None
        if turn is not None:
            torch.maximum(self.wanted, wanted, out=self.wanted)
            room = self.room
        size = roomy(int(wanted), len(needed)) if room is None else room
        return rank.argsort(stable=True)[:size]

    def needed(
        self, cell: Int[Tensor, "rays samples"], deltas: Float[Tensor, "rays samples"]
    ) -> Bool[Tensor, "rays samples"]:
        """Which samples may show, as far as is known."""
        known = self.known.take(cell)
        stopped = known.clamp(min=0).mul_(deltas)
        ahead = torch.cumsum(stopped, -1).sub_(stopped)
        return (known >= 0).logical_and_(ahead < SPENT)

    def learn(self, cell: Int[Tensor, " points"], density: Float[Tensor, " points"]) -> None:
        """Takes note of the densities that were found."""
        density = density.detach()
        densest, thinnest = self.densest.take(cell), self.thinnest.take(cell)
        # A cell that was asked several times at once forgets once: its samples write the same.
        self.densest.scatter_(0, cell, torch.where(densest.isinf(), 0.0, self.forget * densest))
        self.densest.scatter_reduce_(0, cell, density, "amax")
        self.thinnest.scatter_(0, cell, thinnest / self.forget)
        self.thinnest.scatter_reduce_(0, cell, density, "amin")

    def refresh(self) -> None:
        """Settles what is left out from now on.

        A field that is thin everywhere is not empty: what is as dense as the mean always stays.
        """
        asked = self.densest.isfinite()
        mean = torch.where(asked, self.densest, 0.0).sum() / asked.sum().clamp(min=1)
        least = mean.clamp(max=-math.log1p(-SEEN) / self.delta)
        known = torch.where(self.densest < least, _EMPTY, self.thinnest)
        self.known.copy_(torch.where(asked, known, 0.0))
        self.known[-1] = 0.0

    def fit(self, rays: int) -> None:
        """Settles `room` for training steps of so many rays by what they needed since the last fit.

        A share more than the most that any of them did, and the old room if it is near that:
        another room means another capture of the step.
        """
        total = rays * self.samples
        share = -(-total // SHARES)
        wanted = min(roomy(int(self.wanted), total) + share, total)
        if self.room is None or not wanted <= self.room <= wanted + 2 * share:
            self.room = wanted
        self.wanted.zero_()

    def get_extra_state(self) -> dict[str, int | None]:
        """Kept with the buffers."""
        return {"room": self.room}

    def set_extra_state(self, state: dict[str, int | None]) -> None:
        self.room = state["room"]


def roomy(needed: int, samples: int) -> int:
    """The least number of whole shares of `samples` that is more than is needed, or all."""
    share = -(-samples // SHARES)
    return min((needed // share + 1) * share, samples)
