from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from nerf.common.errors import InputError
from nerf.config.flat import Flat, build, with_suggested_bounds
from nerf.config.schema import Sampling
from nerf.evaluation.evaluate import render_view
from nerf.model.sampling import edges_around, stratified_samples
from nerf.model.spacing import coarse_samples, nearness, place_samples
from nerf.run.flythrough import load_model
from nerf.scenes.scene import Scene
from nerf.surface.depth_maps import camera_of, depth_map
from nerf.training.checkpoint import save_checkpoint
from nerf.training.run import TrainingRun
from tests.nerf.training.tiny import TINY

CPU = torch.device("cpu")
DISPARITY = Sampling(near=0.5, far=100.0, spacing="disparity", coarse=8)
UNBOUNDED: Flat = {"sampling.spacing": "disparity", "encoding.contraction": "sphere"}


def test_disparity_samples_are_equally_spaced_in_one_over_t() -> None:
    t, edges = place_samples(DISPARITY, coarse_samples(DISPARITY, 2, None, CPU))
    disparity = np.linspace(1 / 0.5, 1 / 100, 8 + 1)
    np.testing.assert_allclose(1 / edges[1].numpy(), disparity, rtol=1e-5)
    np.testing.assert_allclose(1 / t[0].numpy(), (disparity[1:] + disparity[:-1]) / 2, rtol=1e-5)


def test_jittered_disparity_samples_stay_in_their_strata() -> None:
    u = coarse_samples(DISPARITY, 500, torch.Generator().manual_seed(0), CPU)
    t, edges = place_samples(DISPARITY, u)
    strata = torch.linspace(1 / 0.5, 1 / 100, 9)
    assert (1 / t <= strata[:-1] + 1e-5).all()
    assert (1 / t >= strata[1:] - 1e-5).all()
    assert (edges[:, 1:] >= t).all()
    assert (edges[:, :-1] <= t).all()


def test_linear_samples_are_those_of_the_paper_to_the_bit() -> None:
    sampling = Sampling(near=0.7, far=5.3, coarse=9)
    u = coarse_samples(sampling, 3, torch.Generator().manual_seed(1), CPU)
    t, edges = place_samples(sampling, u)
    drawn = stratified_samples(0.7, 5.3, 3, 9, torch.Generator().manual_seed(1))
    assert torch.equal(t, drawn)
    assert torch.equal(edges, edges_around(drawn, 0.7, 5.3))


def test_nearness_falls_from_near_to_far_as_samples_do() -> None:
    for sampling in (DISPARITY, dataclasses.replace(DISPARITY, spacing="linear")):
        t, _ = place_samples(sampling, coarse_samples(sampling, 1, None, CPU))
        midpoints = 1 - (torch.arange(8)[None] + 0.5) / 8
        torch.testing.assert_close(nearness(t, sampling), midpoints)
    beyond = torch.tensor([0.1, 0.5, 100.0, 1e9])
    torch.testing.assert_close(nearness(beyond, DISPARITY), torch.tensor([1.0, 1.0, 0.0, 0.0]))


def test_disparity_cannot_begin_at_the_camera() -> None:
    with pytest.raises(InputError, match=r"needs sampling\.near above 0"):
        build({"sampling.near": 0.0, "sampling.spacing": "disparity"})


def test_far_is_suggested_by_the_scene_unless_all_space_is_sampled() -> None:
    assert with_suggested_bounds({}, 2.0, 6.0)["sampling.far"] == 6
    assert with_suggested_bounds({"sampling.spacing": "disparity"}, 2.0, 6.0)["sampling.far"] == 6
    assert with_suggested_bounds(UNBOUNDED, 2.0, 6.0)["sampling.far"] == 2000
    assert with_suggested_bounds({**UNBOUNDED, "sampling.far": 9.0}, 2, 6)["sampling.far"] == 9
    assert "sampling.far" not in with_suggested_bounds({**UNBOUNDED, "sampling.span": 4.0}, 2, 6)


@pytest.mark.parametrize(
    "settings",
    [
        {"sampling.fine": 8},
        {"encoding.kind": "hash", "encoding.hash_log2_entries": 10, "compute.occupancy": 16},
    ],
)
def test_an_unbounded_run_learns_and_its_checkpoint_shows_the_same(
    ball: Scene, tmp_path: Path, settings: Flat
) -> None:
    steps: Flat = {"optimisation.warm_up": 0, "optimisation.crop_steps": 0}
    flat = {**TINY, **UNBOUNDED, **steps, **settings}
    run = TrainingRun(build(with_suggested_bounds(flat, 2.0, 6.0)), ball)
    assert run.config.sampling.far == 2000
    losses = []
    for _ in range(100):
        run.advance()
        losses.append(float(run.step.losses[-1]))
    assert np.mean(losses[-10:]) < 0.6 * np.mean(losses[:10])
    save_checkpoint(tmp_path / "run.pt", run.state())
    model, view = load_model(tmp_path / "run.pt"), ball.val[0]
    assert torch.equal(render_view(model, ball, view).rgb, render_view(run.model, ball, view).rgb)
    seen = depth_map(model, camera_of(ball, view, 100))
    assert seen.depth.isfinite().all()
