"""Where along a ray the field is asked.

t        (rays, samples)    sorted distances, Euclidean along a unit direction, scene units
t_edges  (rays, samples+1)  the intervals that the samples stand for; first near, last far
deltas   (rays, samples)    lengths of those intervals
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Generator, Tensor

MIN_WEIGHT = 1e-5
"""Added to every weight before it is taken for a probability, so that no ray has none."""


def stratified_samples(
    near: float,
    far: float,
    rays: int,
    samples: int,
    generator: Generator | None,
    device: torch.device | str = "cpu",
) -> Float[Tensor, "rays samples"]:
    """One distance in each of `samples` equal strata (Eq. 2, arXiv:2003.08934).

    Drawn uniformly within the stratum, or its middle where `generator` is None.
    """
    offset: Tensor | float = 0.5
    if generator is not None:
        offset = torch.rand(rays, samples, generator=generator, device=device)
    strata = torch.arange(samples, device=device, dtype=torch.float32)
    return (near + (far - near) / samples * (strata + offset)).expand(rays, samples)


def edges_around(
    t: Float[Tensor, "rays samples"], near: float, far: float
) -> Float[Tensor, "rays edges"]:
    """The intervals around sorted samples: they meet midway and end at near and far.

    The last interval is finite: an infinite one would make every ray opaque under an activation
    that is never zero, and the background invisible.
    """
    end = (t.shape[0], 1)
    between = (t[:, 1:] + t[:, :-1]) / 2
    return torch.cat((t.new_full(end, near), between, t.new_full(end, far)), dim=-1)


def inverse_cdf_samples(
    bins: Float[Tensor, "rays bins"],
    weights: Float[Tensor, "rays bins_less_1"],
    samples: int,
    generator: Generator | None,
) -> Float[Tensor, "rays samples"]:
    """Distances drawn from the piecewise-constant density that `weights` give over `bins`.

    nerf-pytorch's sample_pdf: u is uniform at random, or evenly spaced over [0, 1] where
    `generator` is None. Gradients do not flow through.
    """
    with torch.no_grad():
        cdf = torch.cumsum(weights + MIN_WEIGHT, -1)
        # Divided by its own end rather than by the sum, it reaches 1 exactly, as u = 1 needs.
        cdf = torch.cat((torch.zeros_like(cdf[:, :1]), cdf / cdf[:, -1:]), -1)
        shape = (*cdf.shape[:1], samples)
        if generator is None:
            u = torch.linspace(0.0, 1.0, samples, device=bins.device).expand(shape)
        else:
            u = torch.rand(shape, generator=generator, device=bins.device)
        found = torch.searchsorted(cdf, u.contiguous(), right=True)
        below, above = (found - 1).clamp(min=0), found.clamp(max=bins.shape[-1] - 1)
        cdf_low, cdf_high = cdf.gather(-1, below), cdf.gather(-1, above)
        low, high = bins.gather(-1, below), bins.gather(-1, above)
        width = cdf_high - cdf_low
        share = (u - cdf_low) / torch.where(width < 1e-5, torch.ones_like(width), width)
        return low + share * (high - low)


def refined_samples(
    t: Float[Tensor, "rays coarse"],
    weights: Float[Tensor, "rays coarse"],
    samples: int,
    generator: Generator | None,
) -> Float[Tensor, "rays all"]:
    """The coarse samples and `samples` more where they found weight, sorted (Sec. 5.2)."""
    middles = (t[:, 1:] + t[:, :-1]) / 2
    fine = inverse_cdf_samples(middles, weights[:, 1:-1], samples, generator)
    return torch.cat((t, fine), dim=-1).sort(dim=-1).values
