"""A dense grid reproduces linear functions, also after it was replaced by a finer one."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from nerf.model.dense_grid import DenseGrid, grid_shape
from nerf.model.interpolation import _add_in_order, _add_sorted

BOX = torch.tensor([[-1.0, 0.0, 2.0], [1.0, 4.0, 3.0]])
SLOPES = torch.tensor([[1.0, -2.0, 0.5], [0.0, 3.0, 1.0]])


def linear(positions: Tensor) -> Tensor:
    return positions @ SLOPES.T + 0.25


def made(cells: int = 6) -> DenseGrid:
    """A grid that holds a linear function."""
    grid = DenseGrid(cells, 2, BOX)
    axes = [torch.linspace(*BOX[:, axis].tolist(), grid.shape[axis]) for axis in range(3)]
    points = torch.stack(torch.meshgrid(*axes, indexing="ij"), -1)
    grid.table.data = linear(points).reshape(-1, 2)
    return grid


def drawn(box: Tensor = BOX, count: int = 200) -> Tensor:
    return box[0] + torch.rand(
        count, 3, generator=torch.Generator().manual_seed(0)
    ) * (box[1] - box[0])  # fmt: skip


def test_cells_are_cubes_of_the_boxs_volume() -> None:
    shape = grid_shape(BOX, 10)
    assert shape == (11, 21, 6)  # 10 x 20 x 5 cells of side 0.2: as many as 10^3


def test_interpolates_a_linear_function_exactly() -> None:
    grid, positions = made(), drawn()
    ends = torch.cat((positions, BOX))
    features, inside = grid(ends)
    assert inside.all()
    assert torch.allclose(features, linear(ends), atol=1e-5)


def test_outside_of_the_box_the_nearest_point_counts_and_is_said_to_be_outside() -> None:
    features, inside = made()(torch.tensor([[0.0, -3.0, 2.5], [9.0, 2.0, 2.5]]))
    assert not inside.any()
    nearest = linear(torch.tensor([[0.0, 0.0, 2.5], [1.0, 2.0, 2.5]]))
    assert torch.allclose(features, nearest, atol=1e-5)


def test_a_finer_grid_over_a_part_shows_the_same_function() -> None:
    grid = made()
    table = grid.table
    part = torch.tensor([[-0.5, 1.0, 2.25], [0.75, 3.0, 2.75]])
    grid.regrid(9, part)
    assert grid.table is table  # an optimiser has it
    assert grid.shape == grid_shape(part, 9)
    positions = drawn(part)
    assert torch.allclose(grid(positions)[0], linear(positions), atol=1e-5)
    assert not grid(drawn())[1].all()


def test_a_saved_grid_is_loaded_into_a_coarser_one() -> None:
    fine = made(9)
    fine.regrid(12, drawn().aminmax(dim=0).min.repeat(2, 1) + torch.tensor([[0.0], [0.5]]))
    loaded = DenseGrid(4, 2, BOX)
    loaded.load_state_dict(fine.state_dict())
    assert loaded.shape == fine.shape
    positions = drawn()
    for ours, theirs in zip(loaded(positions), fine(positions), strict=True):
        assert torch.equal(ours, theirs)


def test_the_gradient_of_many_features_is_the_same_row_by_row_and_in_order() -> None:
    entry = torch.randint(50, (400,), generator=torch.Generator().manual_seed(0))
    weights, gradient = torch.rand(50, 8).double(), torch.randn(50, 13).double()
    by_row, in_order = (
        add(entry, weights, gradient, (50, 13)) for add in (_add_in_order, _add_sorted)
    )
    assert torch.allclose(by_row, in_order)


def test_the_gradient_of_the_total_variation_is_autograds() -> None:
    grid = made()
    grid.table.data.normal_(generator=torch.Generator().manual_seed(0))
    grid.table.grad = torch.ones_like(grid.table)
    grid.add_variation_gradient(0.7)
    table = grid.table.detach().clone().requires_grad_()
    values = table.view(*grid.shape, 2)
    squares = torch.stack([values.diff(dim=axis).square().sum() for axis in range(3)])
    (0.7 * squares.sum() / len(table)).backward()
    assert table.grad is not None
    assert torch.allclose(grid.table.grad, 1 + table.grad, atol=1e-6)


@pytest.mark.parametrize("cells", [2, 5])
def test_a_flat_box_has_a_cell_along_each_axis(cells: int) -> None:
    flat = torch.tensor([[0.0, 0.0, 0.0], [1.0, 1.0, 1e-3]])
    assert min(grid_shape(flat, cells)) >= 2
