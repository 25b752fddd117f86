"""Padded layers, as on a GPU, against the same layers as they are."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from nerf.config.choices import HIDDEN_ACTIVATIONS
from nerf.config.flat import Flat, build
from nerf.model import field
from nerf.model.field import RadianceField
from nerf.model.padding import pad_features, pad_weight, size_multiple

MULTIPLE = 8


def test_nothing_is_padded_on_a_cpu() -> None:
    assert size_multiple("bf16", torch.device("cpu")) == 1
    weight = torch.ones(3, 5)
    assert pad_weight(weight, 1, 5) is weight
    assert pad_features(weight, 1) is weight


def test_aligned_layers_are_left_alone() -> None:
    weight = torch.ones(16, 40)
    assert pad_weight(weight, MULTIPLE, 24, 16) is weight


def test_each_block_of_inputs_is_padded_for_itself() -> None:
    weight = torch.arange(1.0, 16.0).view(3, 5)
    padded = pad_weight(weight, 4, 2, 3)
    assert padded.shape == (4, 8)
    assert torch.equal(padded[:3, [0, 1, 4, 5, 6]], weight)
    assert padded.sum() == weight.sum()


def outputs_and_gradients(settings: Flat) -> tuple[list[Tensor], dict[str, Tensor | None]]:
    config = build({"compute.precision": "fp32", **settings})
    network = RadianceField(config, torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(1)
    positions = 2 * torch.rand(30, 4, 3, generator=generator) - 1
    directions = torch.nn.functional.normalize(torch.randn(30, 3, generator=generator), dim=-1)
    outputs = network(positions, directions)
    sum(each.square().sum() for each in outputs).backward()  # type: ignore[union-attr]
    gradients = {name: each.grad for name, each in network.named_parameters()}
    return [each.detach() for each in outputs], gradients


@pytest.mark.parametrize(
    "settings",
    [
        {"field.width": 133, "field.skip": 2},
        {"field.width": 19, "encoding.directions": False, "encoding.kind": "none"},
        {"field.width": 30, "field.depth": 1, "encoding.kind": "hash", "encoding.hash_levels": 3},
        *({"field.width": 21, "field.hidden_activation": a} for a in HIDDEN_ACTIVATIONS.built_in),
    ],
)
def test_a_padded_field_is_the_same_function_with_the_same_gradients(
    settings: Flat, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, plain_gradients = outputs_and_gradients(settings)
    monkeypatch.setattr(field, "size_multiple", lambda *_: MULTIPLE)
    padded, gradients = outputs_and_gradients(settings)
    # Not equal bit for bit: the products are cut into other blocks.
    torch.testing.assert_close(padded, plain, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(gradients, plain_gradients, rtol=1e-3, atol=1e-4)
