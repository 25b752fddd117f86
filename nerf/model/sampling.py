"""Sample positions along rays: stratified, and by inverse transform sampling of weights.

t        (rays, samples)      distances from the origin along a unit direction, scene units,
                              ascending along each ray
t_edges  (rays, samples + 1)  ends of the intervals that the samples stand for, from near to far
bins     (rays, n + 1)        ends of the steps of a piecewise-constant density, ascending
weights  (rays, n)            its unnormalised probability in each step, >= 0
u        (rays, samples)      arguments of the inverse CDF, in [0, 1]
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Generator, Tensor

MIN_WEIGHT = 1e-5
"""Added to every weight so that those of an empty ray still normalise (as nerf-pytorch does)."""

MIN_BIN_PROBABILITY = 1e-5
"""Bins of less probability are not interpolated: draws stay within 1e-5 of the lower end."""


def stratified_samples(
    near: float,
    far: float,
    rays: int,
    samples: int,
    generator: Generator | None,
    device: torch.device | str = "cpu",
) -> Float[Tensor, "rays samples"]:
    """One distance in each of `samples` equal strata of near..far (Eq. 2, arXiv:2003.08934).

    Uniform within the stratum, or its midpoint if `generator` is None. The midpoints of all rays
    share memory (an expanded view): do not write to the result.
    """
    offset: Tensor | float = 0.5
    if generator is not None:
        offset = torch.rand(rays, samples, generator=generator, device=device)
    strata = torch.arange(samples, device=device, dtype=torch.float32)
    return (near + (far - near) / samples * (strata + offset)).expand(rays, samples)


def edges_around(
    t: Float[Tensor, "rays samples"], near: Tensor | float, far: Tensor | float
) -> Float[Tensor, "rays edges"]:
    """Ends of the intervals around samples: near, the midpoints between neighbours, far.

    `near` and `far` are numbers, or one a ray, (rays, 1); `t` must be sorted and lie between. The
    last interval ends at far, where nerf-pytorch's is infinite: that makes every ray opaque, and
    hides the background, if the density is never 0.
    """
    midpoints = (t[:, 1:] + t[:, :-1]) / 2
    ends = (
        end if isinstance(end, Tensor) else t.new_full((t.shape[0], 1), end) for end in (near, far)
    )
    first, last = ends
    return torch.cat((first, midpoints, last), dim=-1)


def inverse_cdf_samples(
    bins: Float[Tensor, "rays bins"],
    weights: Float[Tensor, "rays bins_less_1"],
    samples: int,
    generator: Generator | None,
) -> Float[Tensor, "rays samples"]:
    """Draws from the piecewise-constant density that `weights` give over `bins`.

    nerf-pytorch's sample_pdf. `bins` must be sorted along each ray, `weights` must be >= 0 and need
    not sum to 1. u is random, or evenly spaced over [0, 1] if `generator` is None; the result is
    sorted only in the second case. No gradient flows through.
    """
    return invert_cdf(bins, weights, cdf_arguments(len(bins), samples, generator, bins.device))


def cdf_arguments(
    rays: int, samples: int, generator: Generator | None, device: torch.device
) -> Float[Tensor, "rays samples"]:
    """u of each sample: random, or evenly spaced over [0, 1] if `generator` is None."""
    if generator is None:
        return torch.linspace(0.0, 1.0, samples, device=device).expand(rays, samples)
    return torch.rand(rays, samples, generator=generator, device=device)


def invert_cdf(
    bins: Float[Tensor, "rays bins"],
    weights: Float[Tensor, "rays bins_less_1"],
    u: Float[Tensor, "rays samples"],
) -> Float[Tensor, "rays samples"]:
    """Where the cumulative distribution of `inverse_cdf_samples` reaches `u`."""
    with torch.no_grad():
        cdf = torch.cumsum(weights + MIN_WEIGHT, -1)
        # Normalised by its last value rather than by the sum of the weights, which may differ by
        # rounding: the CDF must reach exactly 1, as u may.
        cdf = torch.cat((torch.zeros_like(cdf[:, :1]), cdf / cdf[:, -1:]), -1)  # (rays, bins)
        # The step that holds u: cdf[below] <= u < cdf[above]. For u = 1 both are the last edge.
        right = torch.searchsorted(cdf, u.contiguous(), right=True)
        below, above = (right - 1).clamp(min=0), right.clamp(max=bins.shape[-1] - 1)
        cdf_low, cdf_high = cdf.gather(-1, below), cdf.gather(-1, above)
        low, high = bins.gather(-1, below), bins.gather(-1, above)
        # Within a step the CDF is linear: interpolate.
        probability = cdf_high - cdf_low
        tiny = probability < MIN_BIN_PROBABILITY
        share = (u - cdf_low) / torch.where(tiny, torch.ones_like(probability), probability)
        return low + share * (high - low)


def refined_samples(
    t: Float[Tensor, "rays coarse"],
    weights: Float[Tensor, "rays coarse"],
    samples: int,
    generator: Generator | None,
) -> Float[Tensor, "rays all"]:
    """`t` and `samples` more distances drawn by its weights, sorted (Sec. 5.2, arXiv:2003.08934).

    `t` must be sorted; `weights` are the coarse pass's.
    """
    return refine(t, weights, cdf_arguments(len(t), samples, generator, t.device))


def refine(
    t: Float[Tensor, "rays coarse"],
    weights: Float[Tensor, "rays coarse"],
    u: Float[Tensor, "rays samples"],
) -> Float[Tensor, "rays all"]:
    """The samples that `refined_samples` returns for the arguments `u` of the inverse CDF."""
    # Bins between the midpoints, one around each sample but the first and last, which have no
    # midpoint on one side.
    midpoints = (t[:, 1:] + t[:, :-1]) / 2
    fine = invert_cdf(midpoints, weights[:, 1:-1], u)
    return torch.cat((t, fine), dim=-1).sort(dim=-1).values
