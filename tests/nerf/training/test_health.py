"""The health watch in the training loop itself: what it must flag, when, and what it must not."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch

from nerf.config.flat import Flat, build
from nerf.scenes import load
from nerf.scenes.images import Images
from nerf.scenes.scene import Bounds, Scene
from nerf.training.diagnosis import suggest_start
from nerf.training.health import (
    DEAD_GRADIENT_STEPS,
    MISSED_OBJECT_MIN_STEPS,
    HealthWatch,
    Verdict,
    explain_missed_object,
)
from nerf.training.loop import Callbacks, train, train_to_end
from nerf.training.run import TrainingRun, TrainResult
from tests.nerf.training.tiny import TINY

pytestmark = pytest.mark.usefixtures("unchecked_shapes")

# Long enough for two windows of gradients, and for a verdict on bounds that miss the object.
LONG: Flat = {**TINY, "optimisation.steps": 220, "optimisation.rays": 64}

INJECTED_AT = 30

Injection = Callable[[TrainingRun], None]


def train_broken(ball: Scene, settings: Flat, inject: Injection) -> TrainResult:
    """How a run ends in which `inject` breaks something after step `INJECTED_AT`."""
    run = TrainingRun(build({**LONG, **settings}), ball)

    def on_step(step: int) -> None:
        if step == INJECTED_AT:
            inject(run)

    return train_to_end(run, Callbacks(on_step=on_step))


def bias_density(value: float, name: str = "only") -> Injection:
    def inject(run: TrainingRun) -> None:
        with torch.no_grad():
            run.model.passes()[name].density.bias.fill_(value)

    return inject


def kill_units(run: TrainingRun) -> None:
    with torch.no_grad():
        run.model.coarse.trunk[1].bias.fill_(-1e3)  # type: ignore[operator]


def poison(run: TrainingRun) -> None:
    with torch.no_grad():
        run.model.coarse.colour.bias.fill_(float("nan"))


CAUSES: dict[str, tuple[Flat, Injection, str]] = {
    "dead relu": ({"field.density_activation": "relu"}, bias_density(-50), "density is dead"),
    "dead softplus": ({}, bias_density(-60), "density is dead"),
    "dead sigmoid": ({"field.density_activation": "sigmoid"}, bias_density(-60), "dead"),
    "opaque softplus": ({}, bias_density(300), "first interval at near=2.00"),
    "opaque relu": ({"field.density_activation": "relu"}, bias_density(300), "first interval"),
    "dead fine pass": ({"sampling.fine": 8}, bias_density(-60, "fine"), "the fine density is dead"),
    "dead units": ({}, kill_units, "blind"),
    "not a number": ({}, poison, "diverged"),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_a_collapse_is_named_within_two_windows_of_its_cause(ball: Scene, cause: str) -> None:
    settings, inject, words = CAUSES[cause]
    result = train_broken(ball, settings, inject)
    assert result.state == "collapsed"
    assert words in result.reason
    assert result.steps_done <= 2 * DEAD_GRADIENT_STEPS < LONG["optimisation.steps"]
    assert result.curve[-1].step == result.steps_done, "a collapsed run is evaluated a last time"


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"field.density_activation": "sigmoid"},
        {"optimisation.learning_rate": 1e-4},
        {"optimisation.warm_up": 165},
        {"sampling.fine": 8},
        {"field.hidden_activation": "sine"},
        {"field.density_activation": "truncated_exp", "field.initialisation": "glorot"},
        {"field.depth": 4, "field.skip": 2},
        {"optimisation.crop_steps": 55, "optimisation.density_noise": 1.0},
    ],
    ids=str,
)
def test_a_healthy_run_is_not_stopped_however_slow(ball: Scene, settings: Flat) -> None:
    result = train(build({**LONG, **settings}), ball)
    assert (result.state, result.reason) == ("completed", "")
    assert result.steps_done == LONG["optimisation.steps"]


def test_a_dead_coarse_pass_does_not_stop_a_fine_one_that_learns(ball: Scene) -> None:
    run = TrainingRun(build({**LONG, "sampling.fine": 8}), ball)
    bias_density(-60, "coarse")(run)
    first = run.evaluate().psnr
    assert train_to_end(run).psnr > first + 2
    assert run.verdict.state == "completed"


@pytest.mark.parametrize("steps", [3, 10])
def test_a_run_that_diverges_before_the_first_check_is_not_completed(
    ball: Scene, steps: int
) -> None:
    wild = {"optimisation.learning_rate": 1e30, "optimisation.steps": steps}
    result = train(build({**TINY, **wild}), ball)
    assert result.state == "collapsed"
    assert "diverged" in result.reason


def test_a_fine_pass_much_worse_than_its_coarse_one_has_collapsed(ball: Scene) -> None:
    watch = HealthWatch(build(LONG), ball, {"background": 9, "mean colour": 10, "mean image": 12})
    rising = [(100, 12.0), (200, 14.0), (400, 16.0)]
    assert watch.check_end(rising, [0.01, 0.02], 0.2).state == "completed"
    assert "fine pass is much worse" in watch.check_end(rising, [0.01, 0.05], 0.2).reason


def test_bounds_that_miss_the_object_end_the_run_with_that_reason(ball: Scene) -> None:
    certain = dataclasses.replace(ball, bounds=Bounds(2.0, 6.0, "its silhouettes", certain=True))
    missing = build({**LONG, "evaluation.times": 11, "sampling.near": 6.5, "sampling.far": 8.0})
    assert train(missing, ball).state == "completed", "where the bounds are only a guess"
    result = train(missing, certain)
    assert result.state == "collapsed"
    assert "no ray meets the object between near=6.50 and far=8.00" in result.reason
    assert result.steps_done == MISSED_OBJECT_MIN_STEPS
    assert np.isfinite(result.psnr)


def test_bounds_that_contain_part_of_the_object_do_not_miss_it(ball: Scene) -> None:
    near, far = 2.0, 6.0
    ball = dataclasses.replace(ball, bounds=Bounds(near, far, "its silhouettes", certain=True))

    def missed(near: float, far: float) -> bool:
        return bool(
            explain_missed_object(build({"sampling.near": near, "sampling.far": far}), ball)
        )

    assert not missed(far - 0.1, far + 1)
    assert not missed(0.0, near + 0.1)
    assert missed(0.0, near)


@pytest.mark.parametrize(
    ("late_psnr", "state"),
    [
        ([10.95, 10.96, 10.96], "collapsed"),  # a plateau at the flat colour
        ([9.84, 9.84, 9.84], "collapsed"),  # a plateau at the background
        ([10.7, 10.9, 11.1], "completed"),  # passing the flat colour
        ([7.6, 7.62, 7.64], "completed"),  # slow, still below both
        ([15.0, 15.0, 15.0], "completed"),  # a plateau, but it shows something
    ],
)
def test_a_run_that_ends_on_a_plateau_at_a_trivial_image_has_collapsed(
    ball: Scene, late_psnr: list[float], state: str
) -> None:
    assert state_at_end(ball, late_psnr, learning_rate=5e-3) == state


def test_a_run_whose_learning_rate_could_not_move_it_is_slow_not_collapsed(ball: Scene) -> None:
    assert state_at_end(ball, [10.95, 10.96, 10.96], learning_rate=1e-4) == "completed"


def test_a_plateau_of_one_flat_colour_has_collapsed_whatever_its_psnr(ball: Scene) -> None:
    late = [13.0, 13.0, 13.0]  # white everywhere, where much of the photographs is white
    assert verdict_at_end(ball, late).state == "completed"
    verdict = verdict_at_end(ball, late, contrast=0.002)
    assert verdict.state == "collapsed"
    assert "one flat colour, 13.0 dB" in verdict.reason
    assert verdict_at_end(ball, [13.0, 14.0, 15.0], contrast=0.002).state == "completed"


def test_the_remedy_is_what_the_run_lacks_of_a_start_that_works(ball: Scene) -> None:
    late = [10.95, 10.96, 10.96]
    assert "; lower optimisation.learning_rate, or check near" in verdict_at_end(ball, late).reason
    without = {"optimisation.crop_steps": 0, "field.initial_density": 0.0}
    reason = verdict_at_end(ball, late, settings=without).reason
    assert reason.endswith("set optimisation.crop_steps=100, field.initial_density=0.3")


def test_no_crop_is_offered_where_no_backdrop_surrounds_the_object(ball: Scene) -> None:
    colours = np.random.default_rng(0).random(ball.images.shape, dtype=np.float32)
    wall = dataclasses.replace(ball, images=Images(colours))
    without = {"optimisation.crop_steps": 0, "field.initial_density": 0.0}
    assert suggest_start(build(without), ball).startswith("set optimisation.crop_steps=100, field")
    assert suggest_start(build(without), wall) == "set field.initial_density=0.3"
    only_crop = suggest_start(build({"optimisation.crop_steps": 0}), wall)
    assert only_crop.startswith("lower optimisation.learning_rate, or check near")


def state_at_end(ball: Scene, late_psnr: list[float], learning_rate: float) -> str:
    settings = {"optimisation.learning_rate": learning_rate}
    return verdict_at_end(ball, late_psnr, settings=settings).state


def verdict_at_end(
    ball: Scene, late_psnr: list[float], contrast: float = 0.2, settings: Flat | None = None
) -> Verdict:
    """The verdict on 400 steps that ended with these PSNR."""
    trivial = {"background": 9.84, "mean colour": 10.96, "mean image": 21.4}
    curve = list(enumerate([5.0, 6.0, *late_psnr], start=1))
    config = build({**LONG, "optimisation.steps": 400, **(settings or {})})
    watch = HealthWatch(config, ball, trivial)
    return watch.check_end([(80 * k, psnr) for k, psnr in curve], [0.1], contrast)


def test_silhouettes_make_the_bounds_certain() -> None:
    bricks = load("bricks")
    assert bricks.bounds.certain
    assert explain_missed_object(build({"sampling.near": 6.0, "sampling.far": 8.0}), bricks)
