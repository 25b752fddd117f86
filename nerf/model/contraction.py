"""Contraction of all space into a ball (Eq. 10 of mip-NeRF 360, arXiv:2111.12077).

Points within `radius` R of the origin stay where they are. Those beyond move towards it,

    x -> (2 - R / |x|) R x / |x|,

so that infinity lies on a sphere of radius 2 R. The map is continuous, and so is its derivative
along the ray from the origin: what is far away takes as little room as it does in an image.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from nerf.config.schema import Encoding


def contraction_radius(encoding: Encoding) -> float | None:
    """R in scene units; None without contraction."""
    return encoding.contraction_radius if encoding.contraction == "sphere" else None


def contract(x: Float[Tensor, "*batch 3"], radius: float | Tensor) -> Float[Tensor, "*batch 3"]:
    """The contracted points; `radius` is one number, or a tensor (*batch, 1)."""
    norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    # Within the radius the share is exactly 1, and x stays as it is to the bit.
    share = radius / torch.clamp(norm, min=radius)
    return x * (share * (2 - share))


def contracted_box(box: Float[Tensor, "2 3"], radius: float) -> Float[Tensor, "2 3"]:
    """A box around the contraction of all points of `box`, lowest and highest corner.

    A contracted coordinate lies between 0 and the old one, and within 2 R.
    """
    low, high = box
    return torch.stack((low.clamp(-2 * radius, 0), high.clamp(0, 2 * radius)))
