"""Runs of voxels: they learn, shrink around the object, and resume within any of their grids."""

from __future__ import annotations

import io

import pytest
import torch

from nerf.config.flat import Flat, build
from nerf.model.grid_stages import GridStage, grid_stages
from nerf.scenes.scene import Scene
from nerf.training.grid_refinement import box_of_light
from nerf.training.health import HEALTHY
from nerf.training.run import TrainingRun
from tests.threads import with_threads

VOXELS: Flat = {
    "field.kind": "voxels",
    "grid.cells": 16,
    "sampling.coarse": 24,
    "optimisation.rays": 128,
    "optimisation.steps": 60,
    "optimisation.warm_up": 0,
    "optimisation.crop_steps": 0,
    "evaluation.times": 3,
    "evaluation.pixels": 600,
    "evaluation.final_pixels": 600,
}


def test_each_grid_has_twice_the_cells_of_the_one_before() -> None:
    config = build(
        {"grid.cells": 64, "grid.stages": 4, "optimisation.steps": 1200, "sampling.coarse": 80}
    )
    assert grid_stages(config) == (
        GridStage(0, 32, 40), GridStage(100, 40, 50),
        GridStage(200, 51, 63), GridStage(300, 64, 80),
    )  # fmt: skip
    assert grid_stages(build({"grid.stages": 1})) == (GridStage(0, 64, 64),)


def test_grids_that_would_begin_at_the_same_step_are_left_out() -> None:
    stages = grid_stages(build({"grid.cells": 64, "grid.stages": 4, "optimisation.steps": 4}))
    assert stages == (GridStage(0, 40, 40), GridStage(1, 64, 64))


def test_the_box_holds_what_stops_light() -> None:
    positions = torch.stack([torch.linspace(-3, 3, 6001)] * 3, -1)
    weights = (positions[:, 0].abs() < 1).float()
    box = box_of_light(positions, weights)
    assert torch.allclose(box, torch.tensor([[-1.1] * 3, [1.1] * 3]), atol=0.01)


@pytest.mark.parametrize("changed", [{}, {"grid.degree": 0, "sampling.fine": 12}])
def test_voxels_learn_an_object_and_shrink_around_it(ball: Scene, changed: Flat) -> None:
    run = TrainingRun(build({**VOXELS, **changed}), ball)
    before = run.evaluate().psnr
    (whole, *_) = (field.grid.box.clone() for field in run.model.voxel_fields())
    for _ in range(60):
        run.advance()
    assert run.evaluate().psnr > before + 5
    assert run.verdict == HEALTHY
    for field in run.model.voxel_fields():
        extent = field.grid.box[1] - field.grid.box[0]
        assert (extent < whole[1] - whole[0]).all()


@pytest.mark.parametrize("saved", [4, 12, 40])
def test_a_run_resumes_bit_for_bit_in_each_of_its_grids(ball: Scene, saved: int) -> None:
    broken, whole = (TrainingRun(build(VOXELS), ball) for _ in range(2))
    for _ in range(saved):
        broken.advance()
    file = io.BytesIO()
    torch.save(broken.state(), file)
    file.seek(0)
    resumed = TrainingRun(build(VOXELS), ball)
    resumed.restore(torch.load(file, weights_only=True))
    for run, steps in ((resumed, 50 - saved), (whole, 50)):
        for _ in range(steps):
            run.advance()
    assert resumed.evaluate().psnr == whole.evaluate().psnr
    ours, theirs = (run.model.voxel_fields()[0].grid for run in (resumed, whole))
    assert ours.shape == theirs.shape
    assert torch.equal(ours.table, theirs.table)


def test_the_number_of_threads_does_not_matter(ball: Scene) -> None:
    def train() -> torch.Tensor:
        run = TrainingRun(build(VOXELS), ball)
        for _ in range(30):
            run.advance()
        return run.model.voxel_fields()[0].grid.table.detach()

    assert torch.equal(*with_threads(train, 1, 2))
