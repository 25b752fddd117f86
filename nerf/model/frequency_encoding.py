"""Frequency encoding: coordinates to waves of doubling frequency (Eq. 4, arXiv:2003.08934).

    gamma(x) = [x,] sin(2^0 x), cos(2^0 x), ..., sin(2^(L-1) x), cos(2^(L-1) x)

The paper multiplies x by pi first; nerf-pytorch, and the default here, does not.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn


def encoded_size(dimensions: int, frequencies: int, include_input: bool) -> int:
    """How many features `frequency_encoding` makes of so many coordinates."""
    return dimensions * (2 * frequencies + int(include_input))


def frequency_encoding(
    x: Float[Tensor, "*batch dimensions"],
    frequencies: int,
    include_input: bool = True,
    times_pi: bool = False,
) -> Float[Tensor, "*batch features"]:
    """gamma(x) in the order above, each entry for all coordinates; in x's own precision.

    Rounding x to bfloat16 first would leave nothing of the higher frequencies: keep it float32.
    """
    octaves = torch.arange(frequencies, device=x.device, dtype=x.dtype)
    scales = torch.exp2(octaves) * (math.pi if times_pi else 1.0)
    angles = x[..., None, :] * scales[:, None]
    waves = torch.stack((angles.sin(), angles.cos()), dim=-2).flatten(-3)
    return torch.cat((x, waves), dim=-1) if include_input else waves


class FrequencyEncoding(nn.Module):
    """`frequency_encoding` of coordinates in space as a module; it has no parameters.

    With neither octaves nor input nothing would be left: the coordinates are then given bare.
    """

    def __init__(self, frequencies: int, include_input: bool, times_pi: bool) -> None:
        super().__init__()
        self.frequencies = frequencies
        self.include_input = include_input or frequencies == 0
        self.times_pi = times_pi
        self.features = encoded_size(3, frequencies, self.include_input)

    def forward(self, x: Float[Tensor, "points 3"]) -> Float[Tensor, "points features"]:
        return frequency_encoding(x, self.frequencies, self.include_input, self.times_pi)


class NoEncoding(nn.Module):
    """Keeps coordinates from the network: no feature is left of them."""

    features = 0

    def forward(self, x: Float[Tensor, "points 3"]) -> Float[Tensor, "points 0"]:
        return x[:, :0]
