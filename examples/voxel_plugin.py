"""A grid of learnt features as an encoding of positions, by `--plugin examples/voxel_plugin.py`."""

from dataclasses import dataclass
from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from nerf.plugins import Doc, Domain, register_encoding


@dataclass(frozen=True)
class Voxels:
    cells: Annotated[int, Domain(8, 64, log=True), Doc("Cells along a side of the grid.")] = 32
    features: Annotated[int, Domain(2, 16), Doc("Features at each of its corners.")] = 8


@register_encoding("voxels")
class VoxelEncoding(nn.Module):
    def __init__(self, box: Tensor, generator: Generator, options: Voxels) -> None:
        super().__init__()
        self.features = options.features
        self.register_buffer("box", box.clone())  # lowest and highest corner of all samples
        size = (1, options.features, *[options.cells + 1] * 3)
        self.grid = nn.Parameter(0.01 * torch.randn(size, generator=generator))

    def forward(self, positions: Tensor) -> Tensor:
        low, high = self.box
        place = (2 * (positions - low) / (high - low) - 1).flip(-1)  # as grid_sample has them
        found = F.grid_sample(self.grid, place[None, :, None, None], align_corners=True)
        return found[0, :, :, 0, 0].T
