"""The hash encoding against a loop over grids and corners, and its gradient against torch's."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from nerf.config.flat import Flat, build
from nerf.model import interpolation
from nerf.model.field import RadianceField
from nerf.model.hash_encoding import COARSEST_CELLS, FEATURES, PRIMES, HashEncoding
from nerf.scenes.scene import Scene
from tests.nerf.model.learn import learn

BOX = torch.tensor([[-1.0, 0.0, 2.0], [1.0, 4.0, 3.0]])
LEVELS, FINEST, LOG2 = 5, 300, 8


def encoding(seed: int = 0) -> HashEncoding:
    made = HashEncoding(LEVELS, FINEST, LOG2, BOX, torch.Generator().manual_seed(seed))
    made.table.data.normal_(generator=torch.Generator().manual_seed(seed))
    return made


def positions(count: int) -> torch.Tensor:
    drawn = torch.rand(count, 3, generator=torch.Generator().manual_seed(1))
    return BOX[0] + drawn * (BOX[1] - BOX[0])


def twin(made: HashEncoding, position: np.ndarray) -> list[float]:
    """Eq. 4 and the trilinear mean, corner by corner."""
    low, high = BOX.numpy()
    unit = np.clip((position - low) / (high - low), 0, 1)
    table = made.table.detach().numpy().reshape(LEVELS, 2**LOG2, FEATURES)
    features: list[float] = []
    growth = math.exp((math.log(FINEST) - math.log(COARSEST_CELLS)) / (LEVELS - 1))
    for level in range(LEVELS):
        scaled = unit * np.float32(math.floor(COARSEST_CELLS * growth**level + 1e-6))
        base = np.floor(scaled)
        feature = np.zeros(FEATURES)
        for corner in itertools.product((0, 1), repeat=3):
            entry, share = 0, 1.0
            for axis, step in enumerate(corner):
                entry ^= (int(base[axis]) + step) * PRIMES[axis]
                beyond = scaled[axis] - base[axis]
                share *= beyond if step else 1 - beyond
            feature += share * table[level, entry % 2**LOG2]
        features += feature.tolist()
    return features


def test_agrees_with_its_slow_twin() -> None:
    made, where = encoding(), positions(50)
    ours = made(where).detach().numpy()
    assert ours.shape == (50, LEVELS * FEATURES) == (50, made.features)
    for row, position in zip(ours, where.numpy(), strict=True):
        np.testing.assert_allclose(row, twin(made, position), atol=2e-3)


def test_positions_outside_are_clamped_to_the_box() -> None:
    made = encoding()
    outside, border = torch.tensor([[5.0, -3.0, 2.5]]), torch.tensor([[1.0, 0.0, 2.5]])
    assert torch.equal(made(outside), made(border))


def test_is_continuous_across_cells() -> None:
    made = encoding()
    cell = 2.0 / COARSEST_CELLS
    edge = torch.tensor([[-1.0 + 3 * cell, 1.3, 2.2]])
    step = torch.tensor([[1e-5, 0.0, 0.0]])
    assert (made(edge + step) - made(edge - step)).abs().max() < 0.02


def test_the_gradient_is_torchs_own() -> None:
    made, where = encoding(), positions(200)
    weights = torch.rand(200, made.features, generator=torch.Generator().manual_seed(2))
    (made(where) * weights).sum().backward()
    ours = made.table.grad
    unit = (where - BOX[0]) / (BOX[1] - BOX[0])
    entries, shares = made.corners(unit)
    table = made.table.detach().clone().requires_grad_(True)
    features = (table[entries.long()] * shares[..., None]).sum(1)
    features = features.view(LEVELS, -1, FEATURES).transpose(0, 1).flatten(1)
    (features * weights).sum().backward()
    torch.testing.assert_close(ours, table.grad)


def test_the_gradient_of_a_gpu_is_that_of_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    gradients = []
    for add in (interpolation._add_pairs, interpolation._add_in_order):
        monkeypatch.setattr(interpolation, "_add_pairs", add)
        made, weights = encoding(), torch.linspace(-1, 1, 200 * LEVELS * FEATURES)
        (made(positions(200)).flatten() * weights).sum().backward()
        gradients.append(made.table.grad)
    torch.testing.assert_close(*gradients)


def test_learns_a_scene_and_is_deterministic(ball: Scene) -> None:
    settings: Flat = {"encoding.kind": "hash", "encoding.hash_log2_entries": 10}
    tables = [learn(ball, settings)["coarse.encode_position.table"] for _ in range(2)]
    assert torch.equal(*tables)


def test_kind_none_passes_coordinates_unencoded() -> None:
    config = build({"encoding.kind": "none", "compute.precision": "fp32"})
    field = RadianceField(config, torch.Generator().manual_seed(0))
    assert field.encode_position.features == 3
    where = positions(4)
    assert torch.equal(field.encode_position(where), where)
