"""Frequency encoding: sines and cosines of doubling frequency (Eq. 4, arXiv:2003.08934).

    gamma(x) = [x,] sin(2^0 x), cos(2^0 x), ..., sin(2^(L-1) x), cos(2^(L-1) x)

x        (*batch, dimensions)  coordinates
L        number of octaves, `frequencies`
gamma    (*batch, dimensions * (2 L [+ 1]))

The paper multiplies x by pi first; nerf-pytorch and the default here do not.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn


def encoded_size(dimensions: int, frequencies: int, include_input: bool) -> int:
    """Number of features that `encode_frequencies` returns for `dimensions` coordinates."""
    return dimensions * (2 * frequencies + int(include_input))


def encode_frequencies(
    x: Float[Tensor, "*batch dimensions"],
    frequencies: int,
    include_input: bool = True,
    times_pi: bool = False,
) -> Float[Tensor, "*batch features"]:
    """gamma(x), in the order above with all coordinates in each entry; same dtype as x.

    x should be float32: in bfloat16, whose mantissa has 8 bits, higher octaves are only noise.
    """
    octaves = torch.arange(frequencies, device=x.device, dtype=x.dtype)
    scales = torch.exp2(octaves) * (math.pi if times_pi else 1.0)
    angles = x[..., None, :] * scales[:, None]  # (*batch, L, dimensions)
    # (*batch, L, 2, dimensions), flattened: per octave first the sines, then the cosines.
    waves = torch.stack((angles.sin(), angles.cos()), dim=-2).flatten(-3)
    return torch.cat((x, waves), dim=-1) if include_input else waves


class FrequencyEncoding(nn.Module):
    """`encode_frequencies` of three coordinates as a module without parameters.

    Returns the coordinates themselves if there would otherwise be no feature: no octave, no input.
    """

    def __init__(self, frequencies: int, include_input: bool, times_pi: bool) -> None:
        super().__init__()
        self.frequencies = frequencies
        self.include_input = include_input or frequencies == 0
        self.times_pi = times_pi
        self.features = encoded_size(3, frequencies, self.include_input)

    def forward(self, x: Float[Tensor, "points 3"]) -> Float[Tensor, "points features"]:
        return encode_frequencies(x, self.frequencies, self.include_input, self.times_pi)


class NoEncoding(nn.Module):
    """Returns no features: hides its input from the network."""

    features = 0

    def forward(self, x: Float[Tensor, "points 3"]) -> Float[Tensor, "points 0"]:
        return x[:, :0]
