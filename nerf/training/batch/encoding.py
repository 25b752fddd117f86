"""Encodings of positions and directions for all members at once, padded with zeros.

The coordinates come first, then all octaves of the batch's shape. A member with fewer octaves, or
without the coordinates, has zero weights for the features that its own encoding lacks.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from nerf.model.frequency_encoding import encode_frequencies
from nerf.model.hash_encoding import FEATURES, HashEncoding
from nerf.model.interpolation import interpolate


def encode_waves(
    x: Float[Tensor, "slots points 3"],
    factor: Float[Tensor, " slots"],
    octaves: int,
    size: int,
) -> Float[Tensor, "slots points features"]:
    """The frequency encoding of coordinates times `factor`, padded to `size` features."""
    # A factor of pi before the doubling gives the same bits as one in every frequency.
    waves = encode_frequencies(factor[:, None, None] * x, octaves, include_input=False)
    return F.pad(torch.cat((x, waves), -1), (0, size - 3 - waves.shape[-1]))


def encode_by_hash(
    positions: Float[Tensor, "T N 3"],
    entries: Float[Tensor, "entries F"],
    first_entry: Int[Tensor, " T"],
    box: Float[Tensor, "T 2 3"],
    encoding: HashEncoding,
    size: int,
) -> Float[Tensor, "T N features"]:
    """The hash encoding of positions, padded to `size` features.

    `entries` holds the tables of all members, that of a tile from its `first_entry` on; `encoding`
    is any member's, as theirs differ only by table and box.
    """
    tiles, points, _ = positions.shape
    low, high = box[:, :1], box[:, 1:]
    unit = ((positions - low) / (high - low)).clamp(0, 1)
    index, weights = encoding.corners(unit.flatten(0, 1))
    # (levels * points, 8), all points of the coarsest grid first.
    index = index.view(encoding.levels, tiles, -1) + first_entry.to(index.dtype)[:, None]
    features = interpolate(entries, index.view(-1, 8), weights)
    features = features.view(encoding.levels, -1, FEATURES).transpose(0, 1).flatten(1)
    return F.pad(features.view(tiles, points, -1), (0, size - encoding.features))
