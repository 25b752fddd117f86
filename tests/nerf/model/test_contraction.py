from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from nerf.config.flat import Flat, build
from nerf.model.contraction import contract, contracted_box
from nerf.model.field import RadianceField
from nerf.model.occupancy import cell_of, contracted_cell_of

RADIUS = 3.0


def points(count: int = 400, spread: float = 30.0) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    directions = torch.nn.functional.normalize(torch.randn(count, 3, generator=generator))
    return directions * torch.rand(count, 1, generator=generator) * spread


def expected(x: np.ndarray) -> np.ndarray:
    """Eq. 10 of arXiv:2111.12077 in units of the radius, point by point."""
    unit = x / RADIUS
    norm = float(np.linalg.norm(unit))
    return RADIUS * (unit if norm <= 1 else (2 - 1 / norm) * (unit / norm))


def test_contraction_is_its_formula_and_leaves_the_inside_alone_to_the_bit() -> None:
    x = points()
    contracted = contract(x, RADIUS)
    np.testing.assert_allclose(contracted, [expected(p.double().numpy()) for p in x], atol=1e-5)
    inside = x.norm(dim=-1) < 0.999 * RADIUS
    assert 0 < inside.sum() < len(x)
    assert torch.equal(contracted[inside], x[inside])
    assert torch.equal(contract(torch.zeros(1, 3), RADIUS), torch.zeros(1, 3))


def test_contraction_is_continuous_and_fills_a_ball_of_twice_the_radius() -> None:
    outward = torch.nn.functional.normalize(torch.tensor([[1.0, -2.0, 0.5]]).double())
    before, after = (contract(outward * RADIUS * (1 + e), RADIUS) for e in (-1e-9, 1e-9))
    torch.testing.assert_close(before, after, rtol=0, atol=1e-8)
    norms = contract(outward * torch.logspace(-2, 9, 200).double()[:, None], RADIUS).norm(dim=-1)
    assert (norms.diff() >= 0).all()
    assert 1.999 * RADIUS < norms[-1] <= 2 * RADIUS


def test_jacobian_shrinks_along_the_ray_by_the_square_and_across_it_by_the_angle() -> None:
    for norm in (0.5 * RADIUS, 2 * RADIUS, 40 * RADIUS):
        x = torch.tensor([norm, 0.0, 0.0], dtype=torch.float64)
        jacobian = torch.autograd.functional.jacobian(lambda p: contract(p, RADIUS), x)
        share = min(RADIUS / norm, 1.0)
        across = share * (2 - share)
        torch.testing.assert_close(jacobian, torch.diag(x.new_tensor([share**2, across, across])))


def test_radii_may_differ_from_point_to_point() -> None:
    x, radii = points(6), torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])[:, None]
    each = torch.cat([contract(p[None], float(r)) for p, r in zip(x, radii, strict=True)])
    torch.testing.assert_close(contract(x, radii), each)


def test_the_contracted_box_holds_all_contracted_points() -> None:
    x = points() + torch.tensor([12.0, 0.0, 0.0])
    low, high = contracted_box(torch.stack((x.amin(0), x.amax(0))), RADIUS)
    contracted = contract(x, RADIUS)
    assert (contracted >= low).all()
    assert (contracted <= high).all()
    assert (high - low).max() <= 4 * RADIUS


def test_cells_of_contracted_samples_are_those_of_the_contracted_points() -> None:
    origins, directions = points(20, 4.0), torch.nn.functional.normalize(points(20))
    t = torch.logspace(-1, 4, 30).expand(20, 30)
    box = 2 * RADIUS * torch.tensor([[-1.0, -1.0, -1.0], [1.0, 1.0, 0.5]])
    cells = contracted_cell_of(box, 8, RADIUS, origins, directions, t)
    x = contract(origins[:, None] + t[..., None] * directions[:, None], RADIUS).flatten(0, 1)
    plain = cell_of(box, 8, x, torch.zeros_like(x), torch.zeros(len(x), 1))
    assert torch.equal(cells.flatten(), plain[:, 0])
    assert (plain == 8**3).any(), "some lie outside of the box"


@pytest.mark.parametrize("kind", ["frequency", "hash"])
def test_a_field_encodes_contracted_positions(kind: str) -> None:
    common: Flat = {"compute.precision": "fp32", "encoding.kind": kind}
    contracted, plain = (
        RadianceField(config, torch.Generator().manual_seed(0), 6 * unit_box())
        for config in (
            build({**common, "encoding.contraction": each, **radius})
            for each, radius in (("sphere", {"encoding.contraction_radius": RADIUS}), ("none", {}))
        )
    )
    x, ray = points(50), torch.arange(50)
    directions = torch.nn.functional.normalize(x)
    density, rgb = contracted.query_points(x, directions, ray)
    same_density, same_rgb = plain.query_points(contract(x, RADIUS), directions, ray)
    assert torch.equal(density, same_density)
    assert torch.equal(rgb, same_rgb)
    other_density, _ = plain.query_points(x, directions, ray)
    assert not torch.allclose(other_density, density)


def unit_box() -> Tensor:
    return torch.tensor([[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]])
