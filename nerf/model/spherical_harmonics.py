"""Real spherical harmonics of directions, up to degree 2 (as in Plenoxels, arXiv:2112.05131)."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor


def harmonics_count(degree: int) -> int:
    """Number of harmonics up to `degree`."""
    return (degree + 1) ** 2


def spherical_harmonics(
    directions: Float[Tensor, "rays 3"], degree: int
) -> Float[Tensor, "rays harmonics"]:
    """The harmonics of unit directions up to `degree` (0 to 2), orthonormal over the sphere."""
    x, y, z = directions.unbind(-1)
    values = [torch.full_like(x, math.sqrt(1 / (4 * math.pi)))]
    if degree >= 1:
        scale = math.sqrt(3 / (4 * math.pi))
        values += [scale * y, scale * z, scale * x]
    if degree >= 2:
        scale = math.sqrt(15 / (4 * math.pi))
        values += [
            scale * x * y,
            scale * y * z,
            scale / math.sqrt(12) * (3 * z * z - 1),
            scale * x * z,
            scale / 2 * (x * x - y * y),
        ]
    return torch.stack(values, -1)
