"""The occupancy grid against slow, obvious twins, and against querying every sample."""

from __future__ import annotations

import dataclasses
import math
from functools import partial

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from nerf.config.flat import build
from nerf.evaluation.evaluate import render_view
from nerf.model.occupancy import (
    ALPHA_THRE,
    EMA_DECAY,
    MAX_OPTICAL_DEPTH,
    SIZE_BUCKETS,
    UPDATE_INTERVAL,
    WARMUP_STEPS,
    OccupancyGrid,
    density_bounds,
)
from nerf.scenes.scene import Scene
from nerf.training.run import TrainingRun
from tests.threads import with_threads

CELLS = 4
BOX = torch.tensor([[-1.0, 0.0, 2.0], [1.0, 4.0, 3.0]])


SAMPLES, DELTA = 16, 0.5


def small_grid() -> OccupancyGrid:
    return OccupancyGrid(CELLS, BOX, SAMPLES, DELTA)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_every_sample_lies_in_its_cell() -> None:
    origins, directions = drawn(7, 3) * 6 - 2, drawn(7, 3, seed=1) - 0.5
    t = drawn(7, 5, seed=2) * 4
    cells = small_grid().cell_of(origins, directions, t)
    low, high = BOX.numpy().astype(np.float64)
    for ray in range(7):
        for sample in range(5):
            at = origins[ray].double().numpy() + t[ray, sample].item() * directions[ray].numpy()
            x, y, z = np.floor((at - low) / (high - low) * CELLS).astype(int)
            inside = all(0 <= k < CELLS for k in (x, y, z))
            number = (x * CELLS + y) * CELLS + z if inside else CELLS**3
            assert cells[ray, sample] == number
    assert (cells == CELLS**3).any()
    assert (cells != CELLS**3).any()


def test_cells_track_the_largest_and_smallest_density_with_decay() -> None:
    grid = small_grid()
    occs: dict[int, float] = {}
    min_density: dict[int, float] = {}
    for step in range(6):
        cells = torch.randint(0, 9, (20,), generator=torch.Generator().manual_seed(step))
        density = drawn(20, seed=step) * 3
        grid.observe(cells, density, density)
        for cell in set(cells.tolist()):
            here = [d for c, d in zip(cells.tolist(), density.tolist(), strict=True) if c == cell]
            occs[cell] = max(EMA_DECAY * occs.get(cell, 0.0), *here, 0.0)
            min_density[cell] = min(min_density.get(cell, math.inf) / EMA_DECAY, *here, math.inf)
    for cell in range(CELLS**3):
        assert math.isclose(grid.occs[cell], occs.get(cell, math.inf), rel_tol=1e-5)
        assert math.isclose(grid.min_density[cell], min_density.get(cell, math.inf), rel_tol=1e-5)


def test_samples_in_empty_cells_or_behind_opaque_ones_are_not_visible() -> None:
    grid = small_grid()
    densities = torch.tensor([0.0, 1e-4, 5.0, 20.0])
    grid.observe(torch.arange(4), densities, densities)
    grid.update_bounds()
    assert grid.density_bound[:2].eq(-1).all(), f"less than {ALPHA_THRE} of the light"
    cells = torch.tensor([[0, 2, 3, 2, 3, 1], [9, 64, 1, 3, 2, 9]])
    visible = grid.visibility(cells, torch.full((2, 6), DELTA))
    for ray, row in enumerate(cells.tolist()):
        depth = 0.0
        for sample, cell in enumerate(row):
            density = {0: None, 1: None, 2: 5.0, 3: 20.0}.get(cell, 0.0)
            assert visible[ray, sample] == (density is not None and depth < MAX_OPTICAL_DEPTH)
            depth += (density or 0.0) * DELTA


@given(empty=st.floats(0, 1), rays=st.integers(1, 40), step=st.integers(0, 10**6))
def test_all_visible_samples_are_selected_and_some_others(
    empty: float, rays: int, step: int
) -> None:
    grid = small_grid()
    grid.density_bound.copy_(torch.where(drawn(CELLS**3 + 1) < empty, -1.0, 0.0))
    cell = torch.randint(0, CELLS**3 + 1, (rays, 16), generator=torch.Generator().manual_seed(3))
    deltas = torch.ones(rays, 16)
    seen = grid.visibility(cell, deltas)
    selected, visible = grid.select(seen, torch.tensor(step)), seen.flatten()
    assert len(set(selected.tolist())) == len(selected)
    assert set(visible.nonzero()[:, 0].tolist()) <= set(selected.tolist())
    assert len(selected) - visible.sum() <= -(-visible.numel() // SIZE_BUCKETS)
    assert len(selected) > visible.sum() or visible.all()


def test_the_others_rotate_until_each_has_been_selected() -> None:
    grid = small_grid()
    grid.density_bound.fill_(-1.0)
    cell = torch.zeros(8, 64, dtype=torch.int64)
    visible = grid.visibility(cell, torch.ones(8, 64))
    selected: set[int] = set()
    for step in range(SIZE_BUCKETS):
        selected |= set(grid.select(visible, torch.tensor(step)).tolist())
    assert len(selected) == 8 * 64


def test_a_capacity_is_filled_with_visible_samples_first() -> None:
    grid = small_grid()
    grid.density_bound.copy_(torch.where(drawn(CELLS**3 + 1) < 0.7, -1.0, 0.0))
    cell = torch.randint(0, CELLS**3, (8, SAMPLES), generator=torch.Generator().manual_seed(3))
    step = torch.tensor(5)
    seen = grid.visibility(cell, torch.ones(8, SAMPLES))
    free = grid.select(seen, step)
    visible = set(seen.flatten().nonzero()[:, 0].tolist())
    grid.fit_capacity(rays=8)
    assert grid.capacity is not None
    assert len(free) < grid.capacity < 8 * SAMPLES
    selected = grid.select(seen, step)
    assert len(selected) == grid.capacity
    assert set(selected[: len(visible)].tolist()) == visible
    assert set(free.tolist()) <= set(selected.tolist())
    assert torch.equal(grid.select(seen), grid.select(seen)), "not in training"
    grid.capacity = len(visible) // 2
    tight = grid.select(seen, step)
    assert set(tight.tolist()) < visible
    assert len(set((tight // SAMPLES).tolist())) == 8, "all rays lose samples"
    grid.capacity = capacity = len(selected)
    grid.select(seen, step)
    grid.fit_capacity(rays=8)
    assert grid.capacity == capacity


def test_a_field_that_is_the_same_everywhere_has_no_empty_cell() -> None:
    for density in (0.0, 1e-6, 3.0):
        grid = small_grid()
        densities = torch.full((CELLS**3,), density)
        grid.observe(torch.arange(CELLS**3), densities, densities)
        grid.update_bounds()
        assert grid.density_bound.ge(0).all()


def run_of(scene: Scene, **settings: object) -> TrainingRun:
    return TrainingRun(
        build({"field.width": 16, "optimisation.rays": 64, "sampling.coarse": 16, **settings}),
        scene,
    )


def test_a_full_grid_changes_nothing(ball: Scene) -> None:
    with_grid, without = run_of(ball), run_of(ball, **{"compute.occupancy": 0})
    for run in (with_grid, without):
        for _ in range(3):
            run.advance()
    ours, plain = with_grid.model.coarse.state_dict(), without.model.coarse.state_dict()
    assert all(torch.equal(ours[name], plain[name]) for name in plain)


def test_a_trained_grid_skips_samples_and_renders_the_same(ball: Scene) -> None:
    run = run_of(ball, **{"sampling.fine": 16, "compute.occupancy": 12})
    while run.steps_done < WARMUP_STEPS + 5 * UPDATE_INTERVAL:
        run.advance()
    shown = render_view(run.model, ball, ball.val[0])
    for grid in run.model.grids.values():
        assert isinstance(grid, OccupancyGrid)
        assert grid.density_bound.lt(0).float().mean() > 0.2
        grid.density_bound.zero_()
    whole = render_view(run.model, ball, ball.val[0])
    assert (shown.rgb - whole.rgb).abs().mean() < 0.01
    assert (shown.rgb - whole.rgb).abs().max() < 0.1


def test_evaluating_a_run_does_not_change_it(ball: Scene) -> None:
    run = run_of(ball)
    run.advance()
    before = {name: value.clone() for name, value in run.model.named_buffers()}
    run.evaluate()
    run.render_preview()
    for name, value in run.model.named_buffers():
        assert torch.equal(value, before[name])


def test_steps_with_a_capacity_train_like_others(ball: Scene) -> None:
    run = run_of(ball, **{"compute.occupancy": 8})
    while run.steps_done < WARMUP_STEPS + UPDATE_INTERVAL:
        run.advance()
    (grid,) = run.model.occupancy_grids()
    for rays in (64, 64):
        grid.fit_capacity(rays)
        run.advance()
        assert grid.max_visible <= grid.capacity
    assert np.isfinite(run.loss())
    other = run_of(ball, **{"compute.occupancy": 8})
    other.model.load_state_dict(run.model.state_dict())
    assert other.model.occupancy_grids()[0].capacity == grid.capacity


def test_the_grid_is_saved_with_the_model(ball: Scene) -> None:
    run = run_of(ball)
    run.advance()
    run.model.occupancy_grids()[0].update_bounds()
    other = run_of(ball, seed=1)
    other.model.load_state_dict(run.model.state_dict())
    ours, theirs = run.model.grids["only"], other.model.grids["only"]
    assert dict(ours.named_buffers()).keys() == dict(theirs.named_buffers()).keys()
    for name, buffer in ours.named_buffers():
        assert torch.equal(buffer, theirs.get_buffer(name))


def test_its_size_is_part_of_the_config(ball: Scene) -> None:
    run = run_of(ball, **{"compute.occupancy": 8})
    assert run.model.grids["only"].get_buffer("density_bound").shape == (8**3 + 1,)
    assert dataclasses.asdict(run.config)["compute"]["occupancy"] == 8


def test_threads_do_not_change_the_bounds() -> None:
    """All cells have one density, so that the last bit of the mean decides about them."""
    for density in drawn(50).tolist():
        densities = torch.full((32**3 + 1,), 1e-3 * density)
        one, two = with_threads(partial(density_bounds, densities, densities, 0.1), 1, 2)
        assert torch.equal(one, two)


def test_a_cell_is_empty_by_the_light_that_its_longest_sample_stops() -> None:
    """Samples in disparity: the same density matters more where they lie farther apart."""
    box = torch.tensor([[-1.0] * 3, [1.0] * 3])
    grid = OccupancyGrid(2, box, 8, None)
    density = torch.tensor([0.01, 0.01, 5.0])
    grid.observe(torch.tensor([0, 1, 2]), density, density * torch.tensor([0.1, 50.0, 1.0]))
    grid.update_bounds()
    assert [float(grid.density_bound[cell]) < 0 for cell in (0, 1, 2)] == [True, False, False]
    assert math.isclose(grid.density_bound[1], 0.01, rel_tol=1e-5), "bounds are densities"
