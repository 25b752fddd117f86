"""Samples spaced evenly along rays in distance, or in disparity, that is in 1 / distance.

t   distances along the rays, scene units
u   the coordinate in which samples are spaced evenly; it ascends with t
        linear      u = t
        disparity   u = -1 / t: with a large far, half of the samples lie before 2 near
"""

from __future__ import annotations

from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from nerf.config.schema import Sampling, Spacing
from nerf.model.sampling import edges_around, stratified_samples

Number = TypeVar("Number", float, Tensor)


def to_coordinate(t: Number, spacing: Spacing) -> Number:
    """u of distances; those of disparity must be positive."""
    return t if spacing == "linear" else -1 / t


def to_distance(u: Number, spacing: Spacing) -> Number:
    """The distances of which `to_coordinate` makes u."""
    return u if spacing == "linear" else -1 / u


def spacing_ends(sampling: Sampling) -> tuple[float, float]:
    """u of near and far."""
    return (
        to_coordinate(sampling.near, sampling.spacing),
        to_coordinate(sampling.far, sampling.spacing),
    )


def coarse_samples(
    sampling: Sampling, rays: int, generator: Generator | None, device: torch.device
) -> Float[Tensor, "rays samples"]:
    """u of the coarse samples: one in each of the equal strata of u from near to far.

    Uniform within the stratum, or its midpoint if `generator` is None.
    """
    near, far = spacing_ends(sampling)
    return stratified_samples(near, far, rays, sampling.coarse, generator, device)


def place_samples(
    sampling: Sampling, u: Float[Tensor, "rays samples"]
) -> tuple[Float[Tensor, "rays samples"], Float[Tensor, "rays edges"]]:
    """Distances of the samples, and the ends of the intervals that they stand for."""
    edges = edges_around(u, *spacing_ends(sampling))
    return to_distance(u, sampling.spacing), to_distance(edges, sampling.spacing)


def nearness(t: Float[Tensor, "*any"], sampling: Sampling) -> Float[Tensor, "*any"]:
    """1 at near, 0 at far and beyond, evenly in u between them."""
    near, far = spacing_ends(sampling)
    return ((far - to_coordinate(t, sampling.spacing)) / (far - near)).clamp(0, 1)
