"""Runs in a batch become what they become alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nerf.config.flat import Flat, build
from nerf.scenes.scene import Scene
from nerf.training.batch.run_batch import RunBatch
from nerf.training.checkpoint import load_checkpoint, save_checkpoint
from nerf.training.loop import TrainingLoop, train
from nerf.training.run import TrainingRun

pytestmark = pytest.mark.usefixtures("unchecked_shapes")

SMALL: Flat = {
    "sampling.coarse": 8,
    "field.depth": 2,
    "field.width": 16,
    "encoding.position_frequencies": 4,
    "optimisation.rays": 32,
    "optimisation.steps": 120,
    "optimisation.learning_rate": 3e-3,
    "optimisation.warm_up": 0,
    "optimisation.crop_steps": 0,
    "evaluation.times": 2,
    "evaluation.pixels": 300,
    "evaluation.final_pixels": 300,
    "compute.precision": "fp32",
    "compute.occupancy": 0,
}
GRID: Flat = {**SMALL, "compute.occupancy": 8, "sampling.fine": 4}

MIXED: list[Flat] = [
    {
        "field.density_activation": "relu",
        "encoding.position_frequencies": 0,
        "encoding.directions": False,
        "field.initialisation": "glorot",
    },
    {
        "field.density_activation": "softplus",
        "field.colour_activation": "widened_sigmoid",
        "encoding.include_input": False,
        "encoding.direction_frequencies": 0,
        "optimisation.crop": "centre",
        "optimisation.crop_steps": 30,
    },
    {
        "field.density_activation": "truncated_exp",
        "field.width": 33,
        "encoding.times_pi": True,
        "optimisation.gradient_clip": 0.02,
        "optimisation.views": 2,
    },
    {
        "field.density_activation": "sigmoid",
        "field.density_scale": 9.0,
        "sampling.jitter": False,
        "encoding.position_frequencies": 7,
        "optimisation.schedule": "cosine",
        "optimisation.crop_steps": 20,
    },
    {"sampling.near": 2.5, "sampling.far": 5.5, "optimisation.density_noise": 0.5},
]
HASH: Flat = {"encoding.kind": "hash", "encoding.hash_log2_entries": 8, "encoding.hash_levels": 3}
CASES: dict[str, list[Flat]] = {
    "mixed": MIXED,
    "fine, skip, softplus": [
        {"sampling.fine": 4, "field.skip": 1, "field.hidden_activation": "softplus", **own}
        for own in ({}, {"field.width": 20}, {"encoding.position_frequencies": 2})
    ],
    "hash, backgrounds": [
        {**HASH, "field.skip": 1, "optimisation.background": background}
        for background in ("scene", "white", "random", "random")
    ],
    "grid": [{"compute.occupancy": 8, "field.hidden_activation": "silu"} for _ in range(4)],
    "grid, fine, unbounded": [
        {
            **GRID,
            "sampling.spacing": "disparity",
            "sampling.far": far,
            "encoding.contraction": "sphere",
            "encoding.contraction_radius": radius,
            **HASH,
        }
        for far, radius in ((40.0, 2.0), (20.0, 3.0))
    ],
    "linear light": [
        {**GRID, "field.colour_space": "linear", "optimisation.background": "white"}
        for _ in range(2)
    ],
    "grid, fine, hash": [{**GRID, **HASH, "optimisation.density_noise": 0.2} for _ in range(2)],
}


def make_runs(scene: Scene, members: Sequence[Flat], base: Flat = SMALL) -> list[TrainingRun]:
    return [
        TrainingRun(build({**base, "seed": seed, **own}), scene) for seed, own in enumerate(members)
    ]


def fill(runs: Sequence[TrainingRun], size: int | None = None) -> RunBatch:
    batch = RunBatch(size or len(runs))
    for run in runs:
        batch.add(run)
    return batch


def assert_same_losses(one: TrainingRun, other: TrainingRun) -> None:
    torch.testing.assert_close(one.step.losses, other.step.losses, rtol=1e-5, atol=0)


def flat_state(state: dict[str, Any]) -> dict[str, Any]:
    """The leaves of a checkpoint by path, but for the times."""
    leaves: dict[str, Any] = {}

    def visit(value: Any, path: str) -> None:
        if isinstance(value, dict):
            for key, each in value.items():
                visit(each, f"{path}/{key}")
        elif not path.endswith("seconds"):
            leaves[path] = value

    visit(state, "")
    return leaves


@pytest.fixture(scope="module")
def see_through(ball: Scene) -> Scene:
    """The ball with alphas: a fifth of every pixel is background."""
    alphas = np.full(ball.images.shape[:3], 0.8, np.float32)
    return dataclasses.replace(ball, images=dataclasses.replace(ball.images, alphas=alphas))


@pytest.mark.parametrize("case", CASES)
def test_a_batch_trains_its_members_as_they_would_alone(see_through: Scene, case: str) -> None:
    alone, members = (make_runs(see_through, CASES[case]) for _ in range(2))
    batch = fill(members)
    for _ in range(60):  # crops end by step 30, the grids skip samples from step 48 on
        batch.advance()
        for one, member in zip(alone, members, strict=True):
            one.advance()
            assert_same_losses(one, member)
    for one, member in zip(alone, members, strict=True):
        ours, theirs = flat_state(member.state()), flat_state(one.state())
        assert ours.keys() == theirs.keys()
        for path, value in theirs.items():
            if isinstance(value, torch.Tensor) and value.is_floating_point():
                finite = value.isfinite()
                assert torch.equal(finite, ours[path].isfinite()), path
                # Adam magnifies the rounding of gradients near 0, for a few weights.
                difference = (ours[path] - value)[finite].norm()
                assert difference <= 1e-2 * value[finite].norm(), path
            elif isinstance(value, torch.Tensor):
                assert torch.equal(ours[path], value), path
            else:
                assert ours[path] == value, path


@pytest.mark.parametrize("base", [SMALL, GRID])
def test_a_broken_member_leaves_the_others_unchanged_to_the_bit(ball: Scene, base: Flat) -> None:
    states = []
    for broken in (False, True):
        members = make_runs(ball, [{"optimisation.gradient_clip": 0.1}, {}, {}], base)
        if broken:
            with torch.no_grad():
                members[1].model.coarse.density.weight.fill_(torch.nan)
        batch = fill(members)
        for _ in range(60):  # the grids skip samples from step 48 on
            batch.advance()
        assert bool(members[1].step.losses.isnan().all()) is broken
        states.append([flat_state(members[slot].state()) for slot in (0, 2)])
    for sound, beside_broken in zip(*states, strict=True):
        for path, value in sound.items():
            same = torch.equal if isinstance(value, torch.Tensor) else lambda a, b: a == b
            assert same(value, beside_broken[path]), path


def test_a_run_that_takes_over_a_slot_and_the_one_that_left_it_equal_those_alone(
    ball: Scene,
) -> None:
    settings: list[Flat] = [{}, {"field.width": 48}, {"optimisation.steps": 200}]
    alone, members = (make_runs(ball, settings, GRID) for _ in range(2))
    batch = fill(members[:2])
    for _ in range(50):  # the grids skip samples from step 48 on
        batch.advance()
    batch.remove(members[1])
    batch.add(members[2])
    for _ in range(20):
        batch.advance()
        members[1].advance()
    assert batch.members == (members[0], members[2])
    for one, member, steps in zip(alone, members, (70, 70, 20), strict=True):
        for _ in range(steps):
            one.advance()
        assert member.steps_done == steps
        assert_same_losses(one, member)


def test_a_member_is_resumed_alone_and_in_another_batch(ball: Scene, tmp_path: Path) -> None:
    members = make_runs(ball, [{}, {}], GRID)
    batch = fill(members)
    for _ in range(50):
        batch.advance()
    save_checkpoint(tmp_path / "run.pt", members[1].state())
    resumed, other = make_runs(ball, [{"seed": 1}, {"seed": 1}], GRID)
    for run in (resumed, other):
        run.restore(load_checkpoint(tmp_path / "run.pt"))
    elsewhere = fill([other], size=3)
    for _ in range(15):
        batch.advance()
        elsewhere.advance()
        resumed.advance()
    assert_same_losses(members[1], resumed)
    assert_same_losses(members[1], other)


def test_loops_drive_a_batch_to_the_results_of_the_runs_alone(ball: Scene, tmp_path: Path) -> None:
    settings: list[Flat] = [{}, {"optimisation.steps": 40}, {"optimisation.learning_rate": 1e30}]
    runs = make_runs(ball, settings)
    batch = fill(runs[:2])
    waiting = runs[2:]
    loops = [
        TrainingLoop(run, checkpoint=tmp_path / f"{number}.pt") for number, run in enumerate(runs)
    ]
    while batch.members:
        batch.advance()
        for loop in loops:
            if loop.run in batch.members:
                loop.after_step()
                if loop.is_finished:
                    batch.remove(loop.run)
                    for run in waiting:
                        batch.add(run)
                    waiting = []
    for number, run in enumerate(runs):
        result, expected = run.result(), train(run.config, ball)
        assert (result.state, result.steps_done) == (expected.state, expected.steps_done)
        assert result.reason.partition(":")[0] == expected.reason.partition(":")[0]
        if expected.state == "completed":
            assert result.psnr == pytest.approx(expected.psnr, abs=1e-2)
            assert [point.psnr for point in result.curve] == pytest.approx(
                [point.psnr for point in expected.curve], abs=1e-2
            )
        assert result.seconds > 0
        resumed = train(run.config, ball, checkpoint=tmp_path / f"{number}.pt")
        assert resumed.psnr == pytest.approx(result.psnr, nan_ok=True)


def test_what_a_batch_cannot_do_is_refused(ball: Scene) -> None:
    first, second, other = make_runs(ball, [{}, {}, {"field.depth": 3}])
    batch = fill([first], size=1)
    with pytest.raises(ValueError, match="full: it has 1 run"):
        batch.add(second)
    with pytest.raises(ValueError, match="differ"):
        batch.add(other)
    with pytest.raises(ValueError, match="not in this batch"):
        batch.remove(second)
    with pytest.raises(RuntimeError, match="in a batch"):
        first.advance()
    batch.remove(first)
    batch.add(other)  # an empty batch takes any run
    assert batch.members == (other,)
    with pytest.raises(ValueError, match="at least 1"):
        RunBatch(0)


def test_a_member_after_its_last_step_is_not_trained_on(ball: Scene) -> None:
    (run,) = make_runs(ball, [{"optimisation.steps": 2}])
    batch = fill([run], size=2)
    batch.advance()
    batch.advance()
    with pytest.raises(ValueError, match="last step"):
        batch.advance()
    assert run.steps_done == 2
