"""Multiresolution hash encoding of positions (instant-NGP, arXiv:2201.05989, Sec. 3).

Grids of growing resolution cover a box. Each grid has a table of T learnt entries of F features; a
hash maps the grid's corners to entries. A position is encoded by the trilinear interpolation of the
eight corners of its cell, in every grid. Corners whose hashes collide share an entry; training
favours those with the larger gradients.

L        number of grids, `levels`
N_l      cells along a side of grid l: N_min b^l with b = (N_max / N_min)^(1 / (L - 1))
T        entries of a grid's table, 2^`log2_entries`
F        features of an entry
h(x)     (x_1 pi_1 xor x_2 pi_2 xor x_3 pi_3) mod T, of a corner's integer coordinates (Eq. 4)

Unlike the paper, coarse grids with fewer than T corners are hashed as well, so that a few per cent
of their corners collide.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn

from nerf.model.interpolation import combine_ends, interpolate

PRIMES = (1, 2_654_435_761, 805_459_861)
"""pi_1 to pi_3. The first is 1 so that neighbours along that axis stay neighbours in memory."""

FEATURES = 2
"""F, features of an entry."""

COARSEST_CELLS = 16
"""N_min, cells along a side of the first grid."""

MAX_INITIAL_FEATURE = 1e-4
"""Initial features are uniform in +- this."""

UNIT_BOX = torch.tensor([[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]])
"""Default box of a field; loading a checkpoint replaces it."""


class HashEncoding(nn.Module):
    """`levels` grids of 16 to `finest` cells a side, each with a table of 2^`log2_entries`."""

    box: Tensor
    cells: Tensor
    primes: Tensor
    offsets: Tensor

    def __init__(
        self,
        levels: int,
        finest: int,
        log2_entries: int,
        box: Float[Tensor, "2 3"],
        generator: Generator,
    ) -> None:
        super().__init__()
        self.levels = levels
        self.entries = 2**log2_entries
        self.features = levels * FEATURES
        self.register_buffer("box", box.clone())
        growth = (finest / COARSEST_CELLS) ** (1 / max(levels - 1, 1))
        # 1e-6: the power may fall just short of the whole number `finest`.
        cells = [math.floor(COARSEST_CELLS * growth**level + 1e-6) for level in range(levels)]
        self.register_buffer("cells", torch.tensor(cells, dtype=torch.float32), persistent=False)
        primes = torch.tensor(PRIMES).to(torch.int32)  # products wrap, as in the paper's 32 bits
        self.register_buffer("primes", primes[:, None, None], persistent=False)
        # All grids' tables are stacked in one; the first entry of each:
        offsets = torch.arange(levels, dtype=torch.int32)[:, None] * self.entries
        self.register_buffer("offsets", offsets, persistent=False)
        table = torch.empty(levels * self.entries, FEATURES)
        bound = MAX_INITIAL_FEATURE
        self.table = nn.Parameter(table.uniform_(-bound, bound, generator=generator))

    def forward(self, positions: Float[Tensor, "points 3"]) -> Float[Tensor, "points features"]:
        """The L x F features of each position, coarsest grid first; clamps positions to the box."""
        unit = ((positions - self.box[0]) / (self.box[1] - self.box[0])).clamp(0, 1)
        entries, weights = self.corners(unit)
        features = interpolate(self.table, entries, weights)
        # (levels * points, F) -> (points, levels * F)
        return features.view(self.levels, -1, FEATURES).transpose(0, 1).flatten(1)

    def corners(
        self, unit: Float[Tensor, "points 3"]
    ) -> tuple[Int[Tensor, "cells 8"], Float[Tensor, "cells 8"]]:
        """Table index and trilinear weight of the eight corners around positions in the unit cube.

        `cells` is levels x points: all points in the coarsest grid, then in the next, ...
        """
        scaled = unit.t()[:, None] * self.cells[:, None]  # (3 axes, levels, points)
        low = scaled.floor()
        fraction = scaled.sub_(low)  # position within the cell, in [0, 1)
        # x_i pi_i of the lower corner; that of the upper one, (x_i + 1) pi_i, is pi_i more.
        hashed = low.to(torch.int32) * self.primes
        # (2 ends, 3 axes, levels, points). "mod T" is a mask, T being a power of two; masking
        # before the xor gives the same as masking after it.
        ends = torch.stack((hashed, hashed + self.primes)).bitwise_and_(self.entries - 1)
        # The levels' offsets lie in bits above the mask, which the xor with y and z leaves as is.
        ends[:, 0] |= self.offsets
        shares = torch.stack((1 - fraction, fraction))
        entries = combine_ends(torch.bitwise_xor, *ends.flatten(2).unbind(1))
        return entries, combine_ends(torch.mul, *shares.flatten(2).unbind(1))
