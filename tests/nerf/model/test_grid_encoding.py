"""The encoding by dense grids against a loop over grids and corners; a run learns with it."""

from __future__ import annotations

import itertools

import pytest
import torch

from nerf.config.flat import Flat
from nerf.model.grid_encoding import GridEncoding
from nerf.scenes.scene import Scene
from tests.nerf.model.learn import learn

BOX = torch.tensor([[-1.0, 0.0, 2.0], [1.0, 4.0, 3.0]])
LEVELS, CELLS = 3, 16


def encoding(features: int) -> GridEncoding:
    generator = torch.Generator().manual_seed(0)
    made = GridEncoding(LEVELS, CELLS, features, BOX, generator)
    for table in made.parameters():
        table.data.normal_(generator=generator)
    return made


def positions(count: int) -> torch.Tensor:
    drawn = torch.rand(count, 3, generator=torch.Generator().manual_seed(1))
    return BOX[0] + drawn * (BOX[1] - BOX[0])


def twin(tables: list[torch.Tensor], position: torch.Tensor) -> torch.Tensor:
    """The trilinear mean in each grid, corner by corner."""
    features = []
    for level, table in enumerate(tables):
        # Of cells^3 cubes in a box of 2 x 4 x 1: as many along the axes as 1 x 2 x 0.5 of cells.
        cells = CELLS // 2 ** (LEVELS - 1 - level)
        steps = torch.tensor([cells, 2 * cells, cells // 2])
        values = table.view(*(steps + 1), -1)
        scaled = (position - BOX[0]) / (BOX[1] - BOX[0]) * steps
        low = torch.minimum(scaled.floor(), steps - 1)
        total = torch.zeros(values.shape[-1])
        for corner in itertools.product((0, 1), repeat=3):
            end = torch.tensor(corner)
            share = torch.where(end == 1, scaled - low, 1 - scaled + low).prod()
            x, y, z = (low + end).long().tolist()
            total = total + share * values[x, y, z]
        features.append(total)
    return torch.cat(features)


@pytest.mark.parametrize("features", [1, 2, 3])
def test_features_and_gradients_are_those_of_the_slow_twin(features: int) -> None:
    made, where = encoding(features), positions(30)
    weights = torch.rand(30, made.features, generator=torch.Generator().manual_seed(2))
    copies = [table.detach().clone().requires_grad_() for table in made.parameters()]
    ours, theirs = made(where), torch.stack([twin(copies, position) for position in where])
    assert ours.shape == (30, LEVELS * features)
    assert torch.allclose(ours, theirs, atol=1e-5)
    (ours * weights).sum().backward()
    (theirs * weights).sum().backward()
    for table, copy in zip(made.parameters(), copies, strict=True):
        assert torch.allclose(table.grad, copy.grad, atol=1e-5)


def test_positions_outside_are_clamped_to_the_box() -> None:
    made = encoding(2)
    outside, border = torch.tensor([[5.0, -3.0, 2.5]]), torch.tensor([[1.0, 0.0, 2.5]])
    assert torch.equal(made(outside), made(border))


@pytest.mark.parametrize("contraction", ["none", "sphere"])
def test_learns_a_scene_whatever_the_number_of_threads(ball: Scene, contraction: str) -> None:
    settings: Flat = {
        "encoding.kind": "grid",
        "encoding.grid_cells": 16,
        "encoding.grid_features": 3,
        "encoding.contraction": contraction,
    }
    one, two = (learn(ball, settings, threads) for threads in (1, 2))
    assert all(torch.equal(one[name], two[name]) for name in one)
