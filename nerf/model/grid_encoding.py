"""Encoding of positions by dense grids of learnt features, as in DVGO (arXiv:2111.11215, Sec. 5).

Grids of several resolutions cover a box. A position is encoded by the trilinear interpolation of
the features at the eight corners of its cell, in every grid. Unlike in a hash encoding no two
corners share an entry, so that the memory grows with the cube of the resolution.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from nerf.model.dense_grid import DenseGrid

MAX_INITIAL_FEATURE = 1e-4
"""Initial features are uniform in +- this, as those of a hash encoding."""


class GridEncoding(nn.Module):
    """`levels` grids of `features` each, the finest of `cells`^3, the others of half the side."""

    def __init__(
        self,
        levels: int,
        cells: int,
        features: int,
        box: Float[Tensor, "2 3"],
        generator: Generator,
    ) -> None:
        super().__init__()
        self.features = levels * features
        sides = [max(round(cells / 2**level), 1) for level in reversed(range(levels))]
        self.grids = nn.ModuleList(DenseGrid(side, features, box) for side in sides)
        bound = MAX_INITIAL_FEATURE
        for table in self.parameters():
            nn.init.uniform_(table, -bound, bound, generator=generator)

    def forward(self, positions: Float[Tensor, "points 3"]) -> Float[Tensor, "points features"]:
        """The features of each position, coarsest grid first; clamps positions to the box."""
        return torch.cat([grid(positions)[0] for grid in self.grids], -1)
