from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch

from nerf.config.flat import Flat, build
from nerf.scenes import load
from nerf.scenes.scene import Bounds, Scene
from nerf.training.health import HealthWatch, missed_object
from nerf.training.loop import TrainingRun, train
from tests.nerf.training.test_loop import TINY

LONG: Flat = {**TINY, "optimisation.steps": 400, "evaluation.times": 4}


def ended(run: TrainingRun) -> TrainingRun:
    """Advances as `train` does, until a verdict or the budget's end."""
    while run.steps_done < run.config.optimisation.steps and run.verdict.state == "completed":
        run.advance()
        if run.steps_done % 20 == 0:
            run.look()
        if run.steps_done % 100 == 0:
            run.evaluate()
    return run


def bias_density(value: float, name: str = "only") -> Callable[[TrainingRun], None]:
    def change(run: TrainingRun) -> None:
        with torch.no_grad():
            run.model.passes()[name].density.bias.fill_(value)

    return change


def kill_units(run: TrainingRun) -> None:
    with torch.no_grad():
        run.model.coarse.trunk[1].bias.fill_(-1e3)  # type: ignore[operator]


def spoil(run: TrainingRun) -> None:
    with torch.no_grad():
        run.model.coarse.colour.bias.fill_(float("nan"))


CAUSES: dict[str, tuple[Flat, Callable[[TrainingRun], None], str]] = {
    "dead relu": ({"field.density_activation": "relu"}, bias_density(-50), "density is dead"),
    "dead softplus": ({}, bias_density(-60), "density is dead"),
    "dead sigmoid": ({"field.density_activation": "sigmoid"}, bias_density(-60), "dead"),
    "opaque softplus": ({}, bias_density(300), "first interval at near=2.00"),
    "opaque relu": ({"field.density_activation": "relu"}, bias_density(300), "first interval"),
    "dead fine pass": ({"sampling.fine": 8}, bias_density(-60, "fine"), "the fine density is dead"),
    "dead units": ({}, kill_units, "blind"),
    "not a number": ({}, spoil, "diverged"),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_a_collapse_is_named_within_300_steps_of_its_cause(ball: Scene, cause: str) -> None:
    settings, inject, words = CAUSES[cause]
    run = TrainingRun(build({**LONG, **settings}), ball)
    for _ in range(30):
        run.advance()
    inject(run)
    ended(run)
    assert run.verdict.state == "collapsed"
    assert words in run.verdict.reason
    assert run.steps_done <= 330


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"field.density_activation": "sigmoid"},
        {"optimisation.learning_rate": 1e-4},
        {"optimisation.warm_up": 300},
        {"sampling.fine": 8},
        {"field.hidden_activation": "sine"},
        {"field.density_activation": "truncated_exp", "field.initialisation": "glorot"},
        {"field.depth": 4, "field.skip": 2},
        {"optimisation.crop_steps": 100, "optimisation.density_noise": 1.0},
    ],
    ids=str,
)
def test_a_living_run_however_slow_is_left_alone(ball: Scene, settings: Flat) -> None:
    run = ended(TrainingRun(build({**LONG, **settings}), ball))
    assert run.result().state == "completed"


def test_a_dead_coarse_pass_does_not_end_a_fine_one_that_learns(ball: Scene) -> None:
    run = TrainingRun(build({**LONG, "sampling.fine": 8}), ball)
    bias_density(-60, "coarse")(run)
    first = run.evaluate().psnr
    ended(run)
    assert run.verdict.state == "completed"
    assert run.evaluate().psnr > first + 2


@pytest.mark.parametrize("steps", [3, 10])
def test_a_run_that_diverges_before_the_first_look_is_not_completed(
    ball: Scene, steps: int
) -> None:
    wild = {"optimisation.learning_rate": 1e30, "optimisation.steps": steps}
    result = train(build({**TINY, **wild}), ball)
    assert result.state == "collapsed"
    assert "diverged" in result.reason


def test_a_fine_pass_far_under_its_coarse_one_has_collapsed(ball: Scene) -> None:
    watch = HealthWatch(build(LONG), ball, {"background": 9, "mean colour": 10, "mean image": 12})
    rising = [(100, 12.0), (200, 14.0), (400, 16.0)]
    assert watch.ended(rising, [0.01, 0.02]).state == "completed"
    assert "fine field is far under" in watch.ended(rising, [0.01, 0.05]).reason


def test_bounds_that_leave_the_object_out_end_the_run_with_that_reason(ball: Scene) -> None:
    certain = dataclasses.replace(ball, bounds=Bounds(2.0, 6.0, "its silhouettes", certain=True))
    missing = build({**LONG, "sampling.near": 6.5, "sampling.far": 8.0})
    assert train(missing, ball).state == "completed"  # where the bounds are a guess, all may be
    result = train(missing, certain)
    assert result.state == "collapsed"
    assert "no ray meets the object between near=6.50 and far=8.00" in result.reason
    assert result.steps_done < 400
    assert len(result.curve) >= 1
    assert np.isfinite(result.psnr)


def test_bounds_that_hold_any_of_the_object_are_no_miss(ball: Scene) -> None:
    near, far = 2.0, 6.0
    ball = dataclasses.replace(ball, bounds=Bounds(near, far, "its silhouettes", certain=True))
    assert not missed_object(build({"sampling.near": far - 0.1, "sampling.far": far + 1}), ball)
    assert not missed_object(build({"sampling.near": 0.0, "sampling.far": near + 0.1}), ball)
    assert missed_object(build({"sampling.near": 0.0, "sampling.far": near}), ball)


@pytest.mark.parametrize(
    ("late_quality", "state"),
    [
        ([10.95, 10.96, 10.96], "collapsed"),  # still, at the flat colour
        ([9.84, 9.84, 9.84], "collapsed"),  # still, at the background
        ([10.7, 10.9, 11.1], "completed"),  # passing the flat colour
        ([7.6, 7.62, 7.64], "completed"),  # slow, on its way from below
        ([15.0, 15.0, 15.0], "completed"),  # still, but it shows something
    ],
)
def test_a_budget_that_ends_still_at_a_trivial_picture_has_collapsed(
    ball: Scene, late_quality: list[float], state: str
) -> None:
    assert end_of(ball, late_quality, learning_rate=5e-3) == state


def test_a_run_whose_rate_could_not_move_it_is_slow_not_dead(ball: Scene) -> None:
    assert end_of(ball, [10.95, 10.96, 10.96], learning_rate=1e-4) == "completed"


def end_of(ball: Scene, late_quality: list[float], learning_rate: float) -> str:
    """The verdict on 400 steps at this rate that ended with these PSNR."""
    trivial = {"background": 9.84, "mean colour": 10.96, "mean image": 21.4}
    curve = list(enumerate([5.0, 6.0, *late_quality], start=1))
    config = build({**LONG, "optimisation.learning_rate": learning_rate})
    return (
        HealthWatch(config, ball, trivial).ended([(80 * k, psnr) for k, psnr in curve], [0.1]).state
    )


def test_silhouettes_make_the_bounds_certain() -> None:
    bricks = load("bricks")
    assert bricks.bounds.certain
    assert missed_object(build({"sampling.near": 6.0, "sampling.far": 8.0}), bricks)
