"""First steps of a batch with every shape annotation checked, and where its rays come from."""

from __future__ import annotations

import pytest
import torch

from nerf.config.flat import Flat, build
from nerf.scenes.scene import Scene
from nerf.training.batch.rays import PixelTable
from nerf.training.batch.run_batch import RunBatch
from nerf.training.batch.tiles import tile_size
from nerf.training.run import TrainingRun
from tests.nerf.training.tiny import TINY


@pytest.mark.parametrize(
    "settings",
    [
        {"compute.occupancy": 0, "field.skip": 1},
        {"compute.occupancy": 8, "sampling.fine": 4, "encoding.kind": "hash"},
        {"compute.occupancy": 8, "sampling.spacing": "disparity", "encoding.contraction": "sphere"},
    ],
)
def test_all_shapes_of_a_step_are_as_annotated(ball: Scene, settings: Flat) -> None:
    batch = RunBatch(3)
    for seed in range(2):
        own: Flat = {"seed": seed, "optimisation.gradient_clip": 1.0, "optimisation.warm_up": 0}
        batch.add(TrainingRun(build(TINY | own | settings), ball))
    batch.advance()
    assert batch.trainer is not None
    batch.trainer.update_bounds()
    assert all(0 < run.loss() < 1 for run in batch.members)


def test_rays_are_those_of_the_members_also_where_their_views_differ(ball: Scene) -> None:
    runs = [TrainingRun(build({**TINY, "optimisation.views": views}), ball) for views in (0, 2, 0)]
    assert runs[0].rays.pixels is runs[2].rays.pixels
    table = PixelTable(3, torch.device("cpu"))
    table.load({0: runs[0]})
    table.load(dict(enumerate(runs)))
    assert table.version == 2
    table.load(dict(enumerate(runs)))
    assert table.version == 2, "nothing new has come"
    pixel = torch.tensor([[0, 24 * 24], [5, 24 * 24 + 5], [7, 8]])
    rays = table.gather(pixel, torch.zeros(3, 2, 3))
    for slot, run in enumerate(runs):
        part = slice(2 * slot, 2 * slot + 2)
        origins, directions, rgb, _ = run.rays.pixels.look_up(pixel[slot])
        torch.testing.assert_close(rays.origins[part], origins)
        torch.testing.assert_close(rays.directions[part], directions)
        torch.testing.assert_close(rays.rgb[part], rgb)


def test_tiles_in_new_tensors_have_the_step_captured_again(ball: Scene) -> None:
    batch = RunBatch(2)
    runs = [TrainingRun(build({**TINY, "compute.occupancy": 8, "seed": n}), ball) for n in range(2)]
    for run in runs:
        batch.add(run)
    trainer = batch.trainer
    assert trainer is not None

    def key_with(capacity: int) -> tuple[object, ...]:
        for run in runs:
            run.model.occupancy_grids()[0].capacity = capacity
        trainer.fit_tiles()
        return trainer.key()

    few, many = tile_size(1), 32 * tile_size(1)
    before = key_with(many)
    assert key_with(many) == before, "the tiles are where they were"
    key_with(few)
    assert key_with(many) != before, "as many tiles as before, elsewhere"
