"""A NeRF whose field is a formula: an opaque ball of radius 1 whose colour is its position."""

from __future__ import annotations

import torch
from torch import Tensor

from nerf.config.flat import build
from nerf.model.field import RadianceField
from nerf.model.nerf import Nerf


class _Ball(RadianceField):
    def __init__(self) -> None:
        super().__init__(build({"compute.precision": "fp32"}), torch.Generator())
        self.density_activation = torch.relu

    def forward(self, positions: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
        inside = positions.norm(dim=-1) < 1
        return 1000.0 * inside, (0.5 + 0.4 * positions).clamp(0, 1)


def ball_model(samples: int = 400) -> Nerf:
    """Sampled finely, so that surfaces lie within half a step of (6 - 2) / samples."""
    config = build({"compute.occupancy": 0, "sampling.coarse": samples, "sampling.near": 2.0})
    model = Nerf(config, torch.Generator())
    model.coarse = _Ball()
    return model
