"""The part of space that a run can learn anything about."""

from __future__ import annotations

import torch
from torch import Tensor

from nerf.dataset import TrainingRays
from nerf.shapes import Float


def seen_box(rays: TrainingRays, near: float, far: float) -> Float[Tensor, "2 3"]:
    """Lowest and highest corner, on the CPU, of all that the rays cross between near and far."""
    directions = rays.directions.view(len(rays.origins), -1, 3)
    ends = [
        rays.origins + distance * extreme
        for distance in (near, far)
        for extreme in (directions.amin(1), directions.amax(1))
    ]
    return torch.stack((torch.cat(ends).amin(0), torch.cat(ends).amax(0))).cpu()
