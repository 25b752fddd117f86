"""Tiles: how many samples of its ranking each member queries, cut into parts of one size.

M        samples of a slot in a chunk: rays x samples
T        tiles: every member has as many as its selected samples fill
N        samples of a tile: a bucket of nerf.model.occupancy, 1/32 of M, and a multiple of 64

A run alone queries a multiple of a bucket, too, so tiles hardly need padding. And no member's
arithmetic depends on another's: one whose grid is broken has more tiles, not larger ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from nerf.model.occupancy import SIZE_BUCKETS, padded_size

TILE_MULTIPLE = 64
"""Samples that a tile's size is a multiple of: a whole number of a CPU's vectors.

The last numbers of a tensor, if they do not fill a vector, are computed by other functions, so the
last bit of a member's densities would depend on how many tiles the others have.
"""

LEVEL = 4
"""On a GPU, the number of tiles is a multiple of this many a slot, 1/8 of all."""


@dataclass(frozen=True)
class TilePlan:
    """Which samples of a member's ranking go into which tile."""

    slot: Int[Tensor, " T"]
    first: Int[Tensor, " T"]
    """Rank of a tile's first sample."""
    counts: Int[Tensor, " slots"]
    """Samples that each slot queries."""

    @staticmethod
    def of(counts: Sequence[int], size: int, tiles: int, device: torch.device) -> TilePlan:
        """Tiles of `size` samples for `counts` of each slot, filled up to at least `tiles`."""
        places = [
            (slot, first) for slot, count in enumerate(counts) for first in range(0, count, size)
        ]
        # Tiles that are not needed begin where no slot has samples left.
        places += [(0, max(counts))] * (tiles - len(places))
        slot, first = torch.tensor(places, device=device).view(-1, 2).t().contiguous().unbind(0)
        return TilePlan(slot, first, torch.tensor(counts, device=device))

    def refit(self, counts: Sequence[int], size: int) -> TilePlan:
        """The plan for other `counts`: in the same tensors, if about as many tiles do.

        The graph of a step has to be captured again for another number of tiles.
        """
        level = LEVEL * len(counts)
        needed = max(-(-sum(-(-count // size) for count in counts) // level), 1) * level
        # Not lowered by less than two levels, so that it does not go up and down.
        tiles = len(self.slot)
        if not needed <= tiles <= needed + level:
            return TilePlan.of(counts, size, needed, self.slot.device)
        new = TilePlan.of(counts, size, tiles, self.slot.device)
        for ours, theirs in (
            (self.slot, new.slot),
            (self.first, new.first),
            (self.counts, new.counts),
        ):
            ours.copy_(theirs)
        return self


def tile_size(samples: int) -> int:
    """Samples of a tile, for slots of `samples` samples."""
    return -(-samples // (SIZE_BUCKETS * TILE_MULTIPLE)) * TILE_MULTIPLE


def queried_counts(
    visible: Sequence[int], samples: int, members: Mapping[int, object]
) -> list[int]:
    """How many of its `samples` each slot queries, given those visible; none without a member."""
    return [
        padded_size(count, samples) if slot in members else 0 for slot, count in enumerate(visible)
    ]
