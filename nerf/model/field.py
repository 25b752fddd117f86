"""The radiance field: position and direction to density and colour (Fig. 7, arXiv:2003.08934).

    gamma(x) -> depth x (width, activation) -> density
                            |-> bottleneck -> with gamma(d) -> (width / 2, activation) -> rgb

x        positions, (points, 3), world coordinates
d        directions, (rays, 3), unit length
gamma    their encodings, of sizes e and d
points   samples of any rays; `ray` holds the index of each point's ray
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn

from nerf.config.schema import Encoding, NerfConfig
from nerf.model.activations import hidden_activation
from nerf.model.contraction import contract, contraction_radius
from nerf.model.encodings import position_encoding
from nerf.model.frequency_encoding import FrequencyEncoding, NoEncoding
from nerf.model.hash_encoding import UNIT_BOX
from nerf.model.linear import apply_linear, block_rows, multiply_weights, pad_rows
from nerf.model.padding import pad_features, pad_weight, size_multiple
from nerf.model.point_field import PointField
from nerf.model.precision import matrix_products_in

SIREN_OMEGA = 30.0
"""omega_0 of SIREN: the scale of the first layer (arXiv:2006.09661, Sec. 3.2)."""


class RadianceField(PointField):
    """One MLP with its encodings; all initial weights are drawn from `generator`."""

    def __init__(
        self,
        config: NerfConfig,
        generator: Generator,
        box: Float[Tensor, "2 3"] = UNIT_BOX,
    ) -> None:
        super().__init__(config)
        depth, width = config.field.depth, config.field.width
        self.precision = config.compute.precision
        self.hidden_activation = hidden_activation(config)
        self.contraction_radius = contraction_radius(config.encoding)
        self.encode_position = position_encoding(config, box, generator)
        self.encode_direction = _direction_encoding(config.encoding)
        half = max(width // 2, 1)
        self.trunk = nn.ModuleList(
            _linear(sum(self._trunk_inputs(layer)), width) for layer in range(depth)
        )
        self.density = _linear(width, 1)
        self.bottleneck = _linear(width, width)
        self.colour_hidden = _linear(width + self.encode_direction.features, half)
        self.colour = _linear(half, 3)
        self._initialise(generator)

    def query_points(
        self,
        positions: Float[Tensor, "points 3"],
        directions: Float[Tensor, "rays 3"],
        ray: Int[Tensor, " points"],
    ) -> tuple[Float[Tensor, " points"], Float[Tensor, "points 3"]]:
        points = len(positions)
        multiple = size_multiple(self.precision, positions.device)
        block = block_rows(points, self.precision, positions.device)
        if block is not None:
            positions, ray = pad_rows(positions, block), pad_rows(ray, block)
        if self.contraction_radius is not None:
            positions = contract(positions, self.contraction_radius)
        # Both encodings stay in the positions' own precision; directions are encoded once a ray.
        encoded_position = pad_features(self.encode_position(positions), multiple)
        encoded_direction = pad_features(self.encode_direction(directions), multiple)
        encoded_direction = encoded_direction.index_select(0, ray)
        if block is not None:
            blocks = (len(positions) // block, block)
            encoded_position = encoded_position.reshape(*blocks, encoded_position.shape[1])
            encoded_direction = encoded_direction.reshape(*blocks, encoded_direction.shape[1])
        with matrix_products_in(self.precision, positions.device):
            raw_density, raw_rgb = self._mlp(encoded_position, encoded_direction, multiple)
        # Back from bfloat16 before the activations, which need all digits.
        raw_density = raw_density.flatten()[:points].to(positions.dtype)
        raw_rgb = raw_rgb.view(-1, 3)[:points].to(positions.dtype)
        return raw_density, self.colour_activation(raw_rgb)

    def _mlp(
        self,
        encoded_position: Float[Tensor, "*points e"],
        encoded_direction: Float[Tensor, "*points d"],
        multiple: int,
    ) -> tuple[Float[Tensor, " *points"], Float[Tensor, "*points 3"]]:
        """Raw density and raw colour; encodings and layers are padded to a `multiple`."""
        h = encoded_position
        for index in range(self.config.depth):
            if index and index == self.config.skip:
                # In h's own precision: the wider of the two would be that of the result.
                h = torch.cat((encoded_position.to(h.dtype), h), dim=-1)
            weight = pad_weight(self._layer(index).weight, multiple, *self._trunk_inputs(index))
            h = apply_linear(h, weight, pad_features(self._layer(index).bias, multiple))
            h = self.hidden_activation(h)
        weight, bias, direction_weight = self._fused_heads(multiple)
        heads = apply_linear(h, weight, bias)  # (*points, half + 1): colour's part, then density
        half = len(direction_weight)
        colour_in = heads[..., :half] + apply_linear(encoded_direction, direction_weight)
        weight = pad_weight(self.colour.weight, multiple, self.colour.in_features)
        bias = pad_features(self.colour.bias, multiple)
        rgb = apply_linear(self.hidden_activation(colour_in), weight, bias)
        return heads[..., half], rgb[..., :3]

    def _fused_heads(self, multiple: int) -> tuple[Tensor, Tensor, Tensor]:
        """Weight and bias of one linear layer that maps h to colour_hidden's input and the density.

        There is no activation between bottleneck and colour_hidden, so with C = [C_b, C_d], the
        columns of colour_hidden's weight for the bottleneck and for the direction,

            C [B h + b, gamma(d)] + c = (C_b B) h + (C_b b + c) + C_d gamma(d).

        One product over all points instead of three, for the same function. Returns C_d as well.
        All three are padded to a `multiple`, colour's part and the density each for itself.
        """
        width, directions = self.config.width, self.encode_direction.features
        # The weights themselves are multiplied in float32: rounding them would change the function.
        with torch.autocast(self.colour_hidden.weight.device.type, enabled=False):
            c_b, c_d = self.colour_hidden.weight.tensor_split((width,), 1)
            colour_weight = multiply_weights(c_b, self.bottleneck.weight)
            colour_bias = c_b @ self.bottleneck.bias + self.colour_hidden.bias
        weights = (colour_weight, self.density.weight)
        weight = torch.cat([pad_weight(each, multiple, width) for each in weights])
        biases = (colour_bias, self.density.bias)
        bias = torch.cat([pad_features(each, multiple) for each in biases])
        return weight, bias, pad_weight(c_d, multiple, directions)

    def watched_gradients(self) -> dict[str, list[Tensor]]:
        density = (self.density.weight, self.density.bias)
        return {
            "density": [weights.grad for weights in density if weights.grad is not None],
            # Of these weights only the columns that multiply the encoded position, the first ones.
            "position": [
                weights.grad[:, : self.encode_position.features]
                for weights in self._position_weights()
                if weights.grad is not None
            ],
        }

    def _position_weights(self) -> list[Tensor]:
        """The weights that are applied to the encoded position."""
        layers = sorted({0, self.config.skip})  # skip is 0 if there is none
        return [self._layer(layer).weight for layer in layers]

    def _layer(self, index: int) -> nn.Linear:
        layer = self.trunk[index]
        assert isinstance(layer, nn.Linear)
        return layer

    def _trunk_inputs(self, layer: int) -> tuple[int, ...]:
        """Sizes of the inputs that are concatenated for a layer of the trunk."""
        if layer == 0:
            return (self.encode_position.features,)
        skipped = (self.encode_position.features,) if layer == self.config.skip else ()
        return (*skipped, self.config.width)

    def _initialise(self, generator: Generator) -> None:
        linears = [module for module in self.modules() if isinstance(module, nn.Linear)]
        for linear in linears:
            if self.config.initialisation == "glorot":
                nn.init.xavier_uniform_(linear.weight, generator=generator)
                nn.init.zeros_(linear.bias)
            else:  # what torch.nn.Linear does by default
                bound = 1 / math.sqrt(linear.in_features)
                nn.init.uniform_(linear.weight, -bound, bound, generator=generator)
                nn.init.uniform_(linear.bias, -bound, bound, generator=generator)
        if self.config.hidden_activation == "sine":
            self._initialise_sines(generator)
        if self.config.initial_density:
            nn.init.constant_(self.density.bias, self.initial_raw_density)

    def _initialise_sines(self, generator: Generator) -> None:
        """Draws SIREN's uniform weights (arXiv:2006.09661, Sec. 3.2) for layers that feed a sine.

        The factor omega_0 = 30 is put into the first layer's weights rather than in front of every
        sine: the same function, with weights, and so steps of Adam, of the usual size.
        """
        first = self._layer(0)
        bound = SIREN_OMEGA / first.in_features
        nn.init.uniform_(first.weight, -bound, bound, generator=generator)
        hidden = [self._layer(index) for index in range(1, self.config.depth)]
        for linear in (*hidden, self.colour_hidden):
            bound = math.sqrt(6 / linear.in_features)
            nn.init.uniform_(linear.weight, -bound, bound, generator=generator)


def _direction_encoding(encoding: Encoding) -> FrequencyEncoding | NoEncoding:
    if not encoding.directions:
        return NoEncoding()
    return FrequencyEncoding(
        encoding.direction_frequencies, encoding.include_input, encoding.times_pi
    )


def _linear(inputs: int, outputs: int) -> nn.Linear:
    """A layer with uninitialised weights: torch would draw them from its global generator."""
    layer = nn.Linear(inputs, outputs, device="meta")
    # Not by `to_empty`, whose first call imports sympy: a third of a second in every process.
    layer.weight = nn.Parameter(torch.empty(outputs, inputs))
    layer.bias = nn.Parameter(torch.empty(outputs))
    return layer
