"""Volume rendering by quadrature (Eq. 3, arXiv:2003.08934).

sigma_i  density        (rays, samples)  >= 0, per scene unit, constant over interval i
delta_i  deltas         (rays, samples)  length of interval i, scene units
alpha_i  alphas         1 - exp(-sigma_i delta_i): share of light that interval i stops
T_i      transmittance  exp(-sum_{j<i} sigma_j delta_j): share of light that reaches interval i
w_i      weights        T_i alpha_i: share of interval i in the pixel; their sum is the opacity
         optical depth  sum of sigma_j delta_j
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from nerf.model.colour_space import ColourSpace


@dataclass(frozen=True)
class Rendering:
    """The pixel of each ray of a bundle."""

    rgb: Float[Tensor, "rays 3"]
    opacity: Float[Tensor, " rays"]
    """Share of light stopped between near and far, in [0, 1]: the sum of the weights."""
    depth: Float[Tensor, " rays"]
    """Expected distance at which light is stopped, scene units; the rest counts as far."""
    weights: Float[Tensor, "rays samples"]
    t: Float[Tensor, "rays samples"]
    """Distances of the samples, scene units."""
    t_edges: Float[Tensor, "rays edges"]
    """Ends of the intervals that the samples stand for, scene units."""


def alphas(
    density: Float[Tensor, "*rays samples"], deltas: Float[Tensor, "*rays samples"]
) -> Float[Tensor, "*rays samples"]:
    """alpha_i, in [0, 1].

    expm1 keeps the digits that 1 - exp(-x) loses for thin density.
    """
    return -torch.expm1(-density * deltas)


def transmittance(
    density: Float[Tensor, "*rays samples"], deltas: Float[Tensor, "*rays samples"]
) -> Float[Tensor, "*rays samples"]:
    """T_i, in [0, 1]; 1 at the first interval.

    The exponential of a sum: finite, with its gradient, at any density. nerf-pytorch's product of
    1 - alpha_i needs an epsilon in each factor.
    """
    optical_depth = density * deltas
    # Exclusive cumulative sum: interval i is dimmed only by those before it.
    before = torch.cumsum(optical_depth, dim=-1)[..., :-1]
    start = torch.zeros_like(optical_depth[..., :1])
    return torch.exp(-torch.cat((start, before), dim=-1))


def weights_from_density(
    density: Float[Tensor, "*rays samples"], deltas: Float[Tensor, "*rays samples"]
) -> Float[Tensor, "*rays samples"]:
    """w_i, in [0, 1]; they sum to at most 1."""
    return transmittance(density, deltas) * alphas(density, deltas)


def composite(
    density: Float[Tensor, "rays samples"],
    rgb: Float[Tensor, "rays samples 3"],
    t: Float[Tensor, "rays samples"],
    t_edges: Float[Tensor, "rays edges"],
    background: Float[Tensor, "*each 3"],
    space: ColourSpace,
) -> Rendering:
    """Colour, opacity and depth of each ray over `background`: one colour, or one a ray.

    `t` are the samples' distances, `t_edges` the ends of their intervals; both are sorted. `rgb`
    is in the colour space `space`, `background` and the result are colours of a photograph.
    """
    weights = weights_from_density(density, t_edges.diff(dim=-1))
    opacity = weights.sum(-1)
    through = 1 - opacity  # light that passes every interval and shows the background
    light = (weights[..., None] * rgb).sum(-2) + through[:, None] * space.to_light(background)
    return Rendering(
        rgb=space.to_rgb(light),
        opacity=opacity,
        depth=(weights * t).sum(-1) + through * t_edges[:, -1],
        weights=weights,
        t=t,
        t_edges=t_edges,
    )
