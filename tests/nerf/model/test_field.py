from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from nerf.common.errors import InputError
from nerf.config.choices import DENSITY_ACTIVATIONS, HIDDEN_ACTIVATIONS
from nerf.config.schema import Compute, Encoding, Field, NerfConfig, Precision
from nerf.model.field import RadianceField
from tests.nerf import reference


def field(config: Field, encoding: Encoding, seed: int = 0) -> RadianceField:
    whole = NerfConfig(field=config, encoding=encoding, compute=Compute(precision="fp32"))
    return RadianceField(whole, torch.Generator().manual_seed(seed))


def test_agrees_with_the_reference_network_with_the_same_weights() -> None:
    ours = field(
        Field(depth=8, width=256, skip=5, hidden_activation="relu"),
        Encoding(position_frequencies=10, direction_frequencies=4),
    )
    generator = torch.Generator().manual_seed(1)
    positions = torch.rand(3, 4, 3, generator=generator) * 2 - 1
    directions = torch.nn.functional.normalize(torch.randn(3, 3, generator=generator), dim=-1)
    density, rgb = ours(positions, directions)

    weights = {name: tensor.double().numpy() for name, tensor in ours.state_dict().items()}
    toward = np.repeat(directions.double().numpy()[:, None], 4, axis=1)
    sigma, raw_rgb = reference.network(
        weights,
        reference.embed(positions.double().numpy(), 10),
        reference.embed(toward, 4),
        skip=4,  # the reference counts from the layer before the one that takes the input again
    )
    np.testing.assert_allclose(density.detach().numpy(), sigma, atol=1e-5)
    np.testing.assert_allclose(rgb.detach().numpy(), 1 / (1 + np.exp(-raw_rgb)), atol=1e-5)


def test_weights_come_from_the_generator_alone() -> None:
    config, encoding = Field(depth=2, width=8), Encoding()
    torch.manual_seed(1)
    first = field(config, encoding).state_dict()
    torch.manual_seed(2)
    again = field(config, encoding).state_dict()
    other = field(config, encoding, seed=1).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["trunk.0.weight"], other["trunk.0.weight"])


@pytest.mark.parametrize("activation", HIDDEN_ACTIVATIONS.built_in)
def test_every_hidden_activation_keeps_signals_alive_through_eight_layers(
    activation: str,
) -> None:
    network = field(Field(depth=8, width=64, skip=4, hidden_activation=activation), Encoding())
    positions = torch.rand(4, 16, 3, generator=torch.Generator().manual_seed(3)) * 4 - 2
    density, _ = network(positions, torch.tensor([[0.0, 0.0, 1.0]]).expand(4, 3))
    assert density.isfinite().all()
    assert density.std() > 1e-6


def test_density_does_not_depend_on_the_viewing_direction() -> None:
    network = field(Field(depth=2, width=16), Encoding())
    positions = torch.zeros(2, 1, 3)
    density, rgb = network(positions, torch.tensor([[1.0, 0, 0], [0, 1.0, 0]]))
    assert density[0] == density[1]
    assert not torch.equal(rgb[0], rgb[1])


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_without_directions_the_colour_is_the_same_from_every_side(precision: Precision) -> None:
    generator = torch.Generator().manual_seed(0)
    undirected = RadianceField(
        NerfConfig(
            field=Field(depth=2, width=16),
            encoding=Encoding(directions=False),
            compute=Compute(precision=precision),
        ),
        generator,
    )
    positions = torch.rand(5, 1, 3, generator=generator).expand(5, 2, 3).reshape(10, 1, 3)
    directions = torch.nn.functional.normalize(torch.randn(10, 3, generator=generator), dim=-1)
    _, rgb = undirected(positions, directions)
    assert torch.equal(rgb[::2], rgb[1::2])
    assert not torch.equal(rgb[0], rgb[2])
    rgb.sum().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in undirected.parameters())


def test_without_frequencies_a_direction_is_passed_unencoded() -> None:
    encoding = Encoding(direction_frequencies=0, include_input=False)
    directions = torch.eye(3)
    assert torch.equal(field(Field(depth=1), encoding).encode_direction(directions), directions)


def test_glorot_starts_with_zero_biases() -> None:
    network = field(
        Field(depth=2, width=16, initialisation="glorot", initial_density=0.0), Encoding()
    )
    assert all((bias == 0).all() for name, bias in network.named_parameters() if "bias" in name)


@pytest.mark.parametrize("density", [0.01, 0.3, 10.0])
@pytest.mark.parametrize("activation", DENSITY_ACTIVATIONS.built_in)
def test_training_starts_from_about_the_initial_density(activation: str, density: float) -> None:
    network = field(Field(density_activation=activation, initial_density=density), Encoding())
    with torch.no_grad():
        assert network.density_activation(network.density.bias).item() == pytest.approx(density)
        positions = 2 * torch.rand(50, 4, 3, generator=torch.Generator().manual_seed(1)) - 1
        raw_density, _ = network(positions, torch.eye(3)[0].expand(50, 3))
        # The weights are as drawn: they move the raw output around the bias, by less than 1.
        assert (raw_density - network.density.bias).abs().max() < 1
        assert raw_density.std() > 0


def test_without_an_initial_density_the_bias_is_as_drawn() -> None:
    drawn, given = (
        field(Field(initial_density=density), Encoding()).state_dict() for density in (0.0, 0.3)
    )
    differing = {name for name in drawn if not torch.equal(drawn[name], given[name])}
    assert differing == {"density.bias"}


@pytest.mark.parametrize("density", [-0.1, math.inf, math.nan, 25.0])
def test_an_initial_density_that_the_activation_cannot_take_is_refused(density: float) -> None:
    with pytest.raises(InputError, match=r"field\.initial_density must be"):
        Field(density_activation="sigmoid", initial_density=density)
