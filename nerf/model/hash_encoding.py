"""Multiresolution hash encoding of positions (instant-NGP, arXiv:2201.05989, Sec. 3).

Grids of growing resolution lie over a box. A position takes from each the trilinear mean of its
cell's eight corners, whose features are learnt and kept in a table of fixed size: corners share an
entry where a hash says so, and training lets the ones that matter win. All grids are hashed, the
coarse ones too, which the paper indexes one to one: a few per cent of their corners share an entry.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn

PRIMES = (1, 2_654_435_761, 805_459_861)
"""Eq. 4; the first is 1, so that neighbours along one axis stay neighbours in memory."""

FEATURES = 2
"""Of each entry."""

COARSEST = 16
"""Cells along a side of the first grid."""

START = 1e-4
"""Largest absolute feature at the start."""


UNIT_BOX = torch.tensor([[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]])
"""For a field that has no scene yet."""


class HashEncoding(nn.Module):
    """`levels` grids from `COARSEST` to `finest` cells a side, 2^`log2_entries` entries each."""

    box: Tensor
    cells: Tensor
    primes: Tensor
    first: Tensor

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
        growth = (finest / COARSEST) ** (1 / max(levels - 1, 1))
        cells = [math.floor(COARSEST * growth**level + 1e-6) for level in range(levels)]
        self.register_buffer("cells", torch.tensor(cells, dtype=torch.float32), persistent=False)
        primes = torch.tensor(PRIMES).to(torch.int32)  # wraps round, as 32-bit products do
        self.register_buffer("primes", primes[:, None, None], persistent=False)
        first = torch.arange(levels, dtype=torch.int32)[:, None] * self.entries
        self.register_buffer("first", first, persistent=False)
        table = torch.empty(levels * self.entries, FEATURES)
        self.table = nn.Parameter(table.uniform_(-START, START, generator=generator))

    def forward(self, positions: Float[Tensor, "points 3"]) -> Float[Tensor, "points features"]:
        """`levels` x `FEATURES` features, coarsest first; positions are held inside the box."""
        unit = ((positions - self.box[0]) / (self.box[1] - self.box[0])).clamp(0, 1)
        entries, weights = self.corners(unit)
        features: Tensor = _Interpolated.apply(self.table, entries, weights)  # type: ignore[no-untyped-call]
        return features.view(self.levels, -1, FEATURES).transpose(0, 1).flatten(1)

    def corners(
        self, unit: Float[Tensor, "points 3"]
    ) -> tuple[Int[Tensor, "cells 8"], Float[Tensor, "cells 8"]]:
        """Entry and share of each corner around positions in the unit cube, level after level."""
        scaled = unit.t()[:, None] * self.cells[:, None]
        low = scaled.floor()
        beyond = scaled.sub_(low)
        hashed = low.to(torch.int32) * self.primes
        ends = torch.stack((hashed, hashed + self.primes)).bitwise_and_(self.entries - 1)
        ends[:, 0] |= self.first  # above the bits of the hash, so that xor leaves it alone
        shares = torch.stack((1 - beyond, beyond))
        x, y, z = ends.unbind(1)
        entries = x[:, None, None] ^ y[None, :, None] ^ z[None, None]
        x, y, z = shares.unbind(1)
        weights = x[:, None, None] * y[None, :, None] * z[None, None]
        return entries.view(8, -1).t().contiguous(), weights.view(8, -1).t().contiguous()


class _Interpolated(torch.autograd.Function):
    """embedding_bag with a gradient that adds up: its own sorts the entries, ten times slower."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, entries: Tensor, weights: Tensor) -> Tensor:
        ctx.save_for_backward(entries, weights)
        ctx.table = table.shape
        return F.embedding_bag(entries, table, per_sample_weights=weights, mode="sum")

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        entries, weights = ctx.saved_tensors
        entry = entries.flatten().long()
        gradient = weights.new_zeros(ctx.table[::-1])
        for feature in range(FEATURES):
            shares = (weights * gradients[0][:, feature, None]).flatten()
            # Accumulating puts are added in a fixed order on a GPU too, scattered adds are not.
            if shares.is_cuda:
                gradient[feature].index_put_((entry,), shares, accumulate=True)
            else:
                gradient[feature].scatter_add_(0, entry, shares)
        return gradient.t().contiguous(), None, None
