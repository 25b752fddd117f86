"""The radiance field: position and direction to density and colour (Fig. 7, arXiv:2003.08934).

    gamma(x) -> depth x (width, activation) -> density
                            |-> bottleneck -> with gamma(d) -> (width / 2, activation) -> rgb

The direction meets the colour alone, so that density is the same from every side.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from nerf.common.shapes import Float, Int
from nerf.config.schema import Encoding, Field, Precision
from nerf.model.activations import colour_activation, density_activation, hidden_activation
from nerf.model.frequency_encoding import FrequencyEncoding, NoEncoding
from nerf.model.hash_encoding import UNIT_BOX, HashEncoding
from nerf.model.precision import matrix_products_in

SIREN_FIRST_SCALE = 30.0


class RadianceField(nn.Module):
    """One MLP. Its initial weights come from `generator` alone."""

    def __init__(
        self,
        config: Field,
        encoding: Encoding,
        precision: Precision,
        generator: Generator,
        box: Float[Tensor, "2 3"] = UNIT_BOX,
    ) -> None:
        super().__init__()
        self.config = config
        self.precision = precision
        self.hidden_activation = hidden_activation(config.hidden_activation)
        self.density_activation = density_activation(
            config.density_activation, config.density_scale
        )
        self.colour_activation = colour_activation(config.colour_activation)
        self.encode_position = _position_encoding(encoding, box, generator)
        self.encode_direction = _direction_encoding(encoding)
        half = max(config.width // 2, 1)
        self.trunk = nn.ModuleList(
            _linear(self._trunk_inputs(layer), config.width) for layer in range(config.depth)
        )
        self.density = _linear(config.width, 1)
        self.bottleneck = _linear(config.width, config.width)
        self.colour_hidden = _linear(config.width + self.encode_direction.features, half)
        self.colour = _linear(half, 3)
        self._initialise(generator)

    def forward(
        self, positions: Float[Tensor, "rays samples 3"], directions: Float[Tensor, "rays 3"]
    ) -> tuple[Float[Tensor, "rays samples"], Float[Tensor, "rays samples 3"]]:
        """Raw density (before its activation) and colour in [0, 1]; directions of unit length."""
        rays, samples, _ = positions.shape
        ray = torch.arange(rays, device=positions.device).repeat_interleave(samples)
        raw_density, rgb = self.at(positions.flatten(0, 1), directions, ray)
        return raw_density.view(rays, samples), rgb.view(rays, samples, 3)

    def at(
        self,
        positions: Float[Tensor, "points 3"],
        directions: Float[Tensor, "rays 3"],
        ray: Int[Tensor, " points"],
    ) -> tuple[Float[Tensor, " points"], Float[Tensor, "points 3"]]:
        """The same for single points, each on the ray of that number."""
        encoded = self.encode_position(positions)
        toward = self.encode_direction(directions)
        with matrix_products_in(self.precision, positions.device):
            raw_density, raw_rgb = self._layers(encoded, toward.index_select(0, ray))
        exact = positions.dtype
        return raw_density.to(exact), self.colour_activation(raw_rgb.to(exact))

    def _layers(
        self,
        encoded: Float[Tensor, "points e"],
        toward: Float[Tensor, "points d"],
    ) -> tuple[Float[Tensor, " points"], Float[Tensor, "points 3"]]:
        h = encoded
        for index, layer in enumerate(self.trunk):
            if index and index == self.config.skip:
                h = torch.cat((encoded, h), dim=-1)
            h = self.hidden_activation(layer(h))
        weight, bias, from_direction = self._heads()
        heads = F.linear(h, weight, bias)
        colour_in = heads[:, :-1] + F.linear(toward, from_direction)
        return heads[:, -1], self.colour(self.hidden_activation(colour_in))

    def _heads(self) -> tuple[Tensor, Tensor, Tensor]:
        """Bottleneck, colour layer and density head as one linear layer, and the direction's part.

        Nothing bends between the bottleneck and the colour layer, so their product is one layer;
        of three fewer. The function stays the same.
        """
        width = self.config.width
        with torch.autocast(self.colour_hidden.weight.device.type, enabled=False):
            from_bottleneck, from_direction = self.colour_hidden.weight.tensor_split((width,), 1)
            colour = from_bottleneck @ self.bottleneck.weight
            colour_bias = from_bottleneck @ self.bottleneck.bias + self.colour_hidden.bias
        weight = torch.cat((colour, self.density.weight))
        return weight, torch.cat((colour_bias, self.density.bias)), from_direction

    def position_weights(self) -> list[tuple[Tensor, int]]:
        """The weights that take the encoded position in, and how many columns do, from the left."""
        layers = sorted({0, self.config.skip})
        return [(self._layer(layer).weight, self.encode_position.features) for layer in layers]

    def _layer(self, index: int) -> nn.Linear:
        layer = self.trunk[index]
        assert isinstance(layer, nn.Linear)
        return layer

    def _trunk_inputs(self, layer: int) -> int:
        if layer == 0:
            return self.encode_position.features
        joins = self.encode_position.features if layer == self.config.skip else 0
        return self.config.width + joins

    def _initialise(self, generator: Generator) -> None:
        linears = [module for module in self.modules() if isinstance(module, nn.Linear)]
        for linear in linears:
            if self.config.initialisation == "glorot":
                nn.init.xavier_uniform_(linear.weight, generator=generator)
                nn.init.zeros_(linear.bias)
            else:
                bound = 1 / math.sqrt(linear.in_features)
                nn.init.uniform_(linear.weight, -bound, bound, generator=generator)
                nn.init.uniform_(linear.bias, -bound, bound, generator=generator)
        if self.config.hidden_activation == "sine":
            self._initialise_sines(generator)

    def _initialise_sines(self, generator: Generator) -> None:
        """SIREN's uniform weights (arXiv:2006.09661, Sec. 3.2) for the layers that feed a sine.

        The scale of 30 is put into the first layer's weights rather than in front of every sine,
        which leaves the function the same and Adam's steps on the scale of the other activations.
        """
        first = self._layer(0)
        bound = SIREN_FIRST_SCALE / first.in_features
        nn.init.uniform_(first.weight, -bound, bound, generator=generator)
        hidden = [self._layer(index) for index in range(1, self.config.depth)]
        for linear in (*hidden, self.colour_hidden):
            bound = math.sqrt(6 / linear.in_features)
            nn.init.uniform_(linear.weight, -bound, bound, generator=generator)


def _position_encoding(
    encoding: Encoding, box: Float[Tensor, "2 3"], generator: Generator
) -> FrequencyEncoding | HashEncoding:
    if encoding.kind == "hash":
        return HashEncoding(
            encoding.hash_levels, encoding.hash_finest, encoding.hash_log2_entries, box, generator
        )
    frequencies = encoding.position_frequencies if encoding.kind == "frequency" else 0
    return FrequencyEncoding(frequencies, encoding.include_input, encoding.times_pi)


def _direction_encoding(encoding: Encoding) -> FrequencyEncoding | NoEncoding:
    if not encoding.directions:
        return NoEncoding()
    return FrequencyEncoding(
        encoding.direction_frequencies, encoding.include_input, encoding.times_pi
    )


def _linear(inputs: int, outputs: int) -> nn.Linear:
    """A layer whose weights are still unset: torch would draw them from its global generator."""
    return nn.Linear(inputs, outputs, device="meta").to_empty(device="cpu")
