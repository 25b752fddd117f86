"""Volume rendering, a ladder of small functions (Eq. 3, arXiv:2003.08934).

density  (rays, samples)     >= 0, per scene unit
deltas   (rays, samples)     lengths of the intervals, scene units
alphas   1 - exp(-density * delta): the share of light an interval stops
transmittance                the share that reaches the interval: exp(-sum of all before it)
weights  transmittance * alphas: the share of the picture an interval makes; they sum to opacity
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Rendering:
    """What a bundle of rays shows."""

    rgb: Float[Tensor, "rays 3"]
    opacity: Float[Tensor, " rays"]
    """Share of light stopped between near and far, in [0, 1]."""
    depth: Float[Tensor, " rays"]
    """Expected distance of what stopped the light, scene units; far for what nothing stopped."""
    weights: Float[Tensor, "rays samples"]


def alphas(
    density: Float[Tensor, "*rays samples"], deltas: Float[Tensor, "*rays samples"]
) -> Float[Tensor, "*rays samples"]:
    """The share of light that each interval stops, in [0, 1]."""
    return -torch.expm1(-density * deltas)


def transmittance(
    density: Float[Tensor, "*rays samples"], deltas: Float[Tensor, "*rays samples"]
) -> Float[Tensor, "*rays samples"]:
    """The share of light that reaches each interval, in [0, 1]; 1 at the first.

    Summed as optical depth, so that neither it nor its gradient needs an epsilon.
    """
    optical_depth = density * deltas
    before = torch.cumsum(optical_depth, dim=-1)[..., :-1]
    start = torch.zeros_like(optical_depth[..., :1])
    return torch.exp(-torch.cat((start, before), dim=-1))


def weights_from_density(
    density: Float[Tensor, "*rays samples"], deltas: Float[Tensor, "*rays samples"]
) -> Float[Tensor, "*rays samples"]:
    """The share of the picture that each interval makes."""
    return transmittance(density, deltas) * alphas(density, deltas)


def composite(
    density: Float[Tensor, "rays samples"],
    rgb: Float[Tensor, "rays samples 3"],
    t: Float[Tensor, "rays samples"],
    t_edges: Float[Tensor, "rays edges"],
    background: Float[Tensor, "*each 3"],
) -> Rendering:
    """The picture of each ray over `background`, with its opacity and depth."""
    weights = weights_from_density(density, t_edges.diff(dim=-1))
    opacity = weights.sum(-1)
    through = 1 - opacity
    return Rendering(
        rgb=(weights[..., None] * rgb).sum(-2) + through[:, None] * background,
        opacity=opacity,
        depth=(weights * t).sum(-1) + through * t_edges[:, -1],
        weights=weights,
    )
