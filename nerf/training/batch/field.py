"""The fields of all members as one network: batched products over tiles of points.

T        tiles; all points of a tile belong to one member
N        points of a tile
e, d     padded sizes of the encodings of position and direction

The layers, and the fusing of the heads, are those of nerf.model.field; sizes are padded as the
layout of the parameters says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from nerf.config.choices import HIDDEN_ACTIVATIONS
from nerf.training.batch.layout import Layout


@dataclass(frozen=True)
class Weights:
    """The layers of one field for every tile, in the precision of its products."""

    trunk: list[tuple[Float[Tensor, "T _ _"], Float[Tensor, "T 1 _"]]]
    heads: tuple[Float[Tensor, "T heads width"], Float[Tensor, "T 1 heads"]]
    """First the colour's part of half the width, then the density."""
    direction: Float[Tensor, "T half d"]
    colour: tuple[Float[Tensor, "T 8 half"], Float[Tensor, "T 1 8"]]


class BatchField:
    """The field of one pass of every member; `dtype` is the precision of its products."""

    def __init__(self, layout: Layout, dtype: torch.dtype) -> None:
        self._layout = layout
        self._dtype = dtype
        self._activation = HIDDEN_ACTIVATIONS.piece(layout.shape.hidden_activation).code

    def weights(
        self, network: Float[Tensor, "slots numbers"], slot_of_tile: Int[Tensor, " T"] | None
    ) -> Weights:
        """The layers as the parameters in `network` have them; without tiles, one for each slot."""
        names = self._layout.network_names()
        sizes = [self._layout.shapes[name] for name in names]
        parts = torch.split(network, [math.prod(size) for size in sizes], 1)
        own = {
            name: part.view(-1, *size) for name, part, size in zip(names, parts, sizes, strict=True)
        }
        fused = self._fuse_heads(own)
        shapes = [each.shape[1:] for each in fused]
        flat = torch.cat([each.flatten(1) for each in fused], 1)
        if slot_of_tile is not None:
            flat = flat[slot_of_tile]  # whose gradient adds up in float32, in a fixed order
        parts = torch.split(flat.to(self._dtype), [math.prod(shape) for shape in shapes], 1)
        layers = [part.view(-1, *shape) for part, shape in zip(parts, shapes, strict=True)]
        biases = [each[:, None] for each in layers[1::2]]
        pairs = list(zip(layers[0:-1:2], biases, strict=True))
        direction = layers[-1]
        return Weights(pairs[:-2], pairs[-2], direction, pairs[-1])

    def query(
        self,
        weights: Weights,
        encoded_position: Float[Tensor, "T N e"],
        encoded_direction: Float[Tensor, "T N d"],
    ) -> tuple[Float[Tensor, "T N"], Float[Tensor, "T N 3"]]:
        """Raw density and raw colour of every point, in float32."""
        encoded = encoded_position.to(self._dtype)
        h = encoded
        for layer, (weight, bias) in enumerate(weights.trunk):
            if layer and layer == self._layout.shape.skip:
                h = torch.cat((encoded, h), -1)
            h = self._activation(torch.baddbmm(bias, h, weight.mT))
        weight, bias = weights.heads
        heads = torch.baddbmm(bias, h, weight.mT)
        half = self._layout.shape.width // 2
        direction = torch.bmm(encoded_direction.to(self._dtype), weights.direction.mT)
        colour_in = heads[..., :half] + direction
        weight, bias = weights.colour
        rgb = torch.baddbmm(bias, self._activation(colour_in), weight.mT)
        # Back from bfloat16 before the activations, which need all digits.
        return heads[..., half].float(), rgb[..., :3].float()

    def _fuse_heads(self, own: dict[str, Tensor]) -> list[Tensor]:
        """Weight and bias of each layer of `Weights`, in its order, the direction's weight last.

        As in nerf.model.field: with C = [C_b, C_d], bottleneck and colour_hidden are one product
        with C_b B, and the density's product is joined to it.
        """
        width = self._layout.shape.width
        c_b, c_d = torch.split(own["colour_hidden.weight"], [width, self._layout.direction_size], 2)
        weight = torch.bmm(c_b, own["bottleneck.weight"])
        bias = torch.baddbmm(
            own["colour_hidden.bias"][..., None], c_b, own["bottleneck.bias"][..., None]
        )[..., 0]
        trunk = [own[name] for name in self._layout.network_names() if name.startswith("trunk.")]
        return [
            *trunk,
            torch.cat((weight, own["density.weight"]), 1),
            torch.cat((bias, own["density.bias"]), 1),
            own["colour.weight"],
            own["colour.bias"],
            c_d,
        ]
