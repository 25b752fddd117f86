"""Health watch: decides that a run has collapsed, and names the reason.

A slow run and a collapsed one look alike from outside: a dark image, a loss that does not fall.
What differs is whether training can still change anything, so that is what the checks during a
run test:

    diverged         the loss or the held-out PSNR is not a finite number; it never recovers
    frozen density   the density head has had no gradient for `DEAD_GRADIENT_STEPS`
    frozen position  the weights that read the position have had none: the field has become
                     independent of the position
    missed object    the whole object lies outside near..far, and held-out quality confirms it

Gradients are those of the last pass, whose image is the result. The check at the end of a run
tests held-out quality itself:

    learnt nothing   PSNR has not moved for half the run, and every held-out view is rendered as one
                     flat colour, or no better than one
    fine pass stuck  its error is a multiple of the coarse pass's

benchmarks/health.py measures how many collapses are missed and how many healthy runs are flagged.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from nerf.config.schema import NerfConfig
from nerf.model.nerf import Nerf
from nerf.model.point_field import PointField
from nerf.scenes.scene import Scene
from nerf.training.diagnosis import (
    explain_frozen_density,
    explain_frozen_position,
    suggest_start,
)
from nerf.training.schedule import learning_rate

State = Literal["completed", "collapsed"]

WATCHED_PARTS = ("density", "position")
"""Parts of a field whose gradients are followed."""

MAX_DEAD_GRADIENT = 1e-11
"""Largest absolute entry of a gradient that counts as zero.

Adam moves a weight by about rate x gradient / (|gradient| + 1e-8): below this, by less than a
thousandth of the learning rate a step.
"""

DEAD_GRADIENT_STEPS = 100
"""Consecutive steps without a gradient after which a part is frozen.

At a hundred rays a step these are ten thousand rays from all over the scene.
"""

MISSED_OBJECT_MIN_STEPS = 200
"""Steps before a run whose near..far misses the object is judged by its held-out PSNR."""

PLATEAU_MAX_RANGE = 0.1
"""Range of held-out PSNR, in dB, over the second half of a run, below which it is a plateau."""

TRIVIAL_PSNR_MARGIN = 0.3
"""dB around the PSNR of a flat colour within which a run shows no more than a flat colour."""

MAX_FINE_TO_COARSE_ERROR = 4.0
"""Largest healthy ratio of the fine pass's squared error to the coarse pass's (6 dB).

The fine pass renders a superset of the coarse samples, and is normally the better one.
"""

MAX_FLAT_CONTRAST = 1 / 255
"""Standard deviation of all rendered colours below which an image is one flat colour: less than a
step of an 8-bit image."""

MIN_LEARNING_RATE_SUM = 0.3
"""Sum of the learning rates of all steps below which a plateau is slowness, not a collapse.

Adam moves a weight by about the learning rate a step, so the sum bounds the distance from its
initial value; 0.3 is several times the size of an initial weight.
"""


@dataclass(frozen=True)
class Verdict:
    """The state of a run; `reason` is empty unless it has collapsed."""

    state: State
    reason: str = ""


HEALTHY = Verdict("completed")


class HealthWatch:
    """Follows a run's gradients and held-out PSNR and gives a verdict as soon as one is certain.

    `trivial_psnrs` are those of nerf.evaluation.trivial_baselines. Costs a few reductions over
    small tensors a step; waits for the device only in `check`.
    """

    def __init__(self, config: NerfConfig, scene: Scene, trivial_psnrs: dict[str, float]) -> None:
        self._config = config
        self._scene = scene
        self._trivial_psnrs = trivial_psnrs
        # Largest absolute gradient entry of each watched part since the step `_window_start`.
        self._largest: dict[str, Tensor] = {}
        self._window_start = 0

    def record_gradients(self, model: Nerf) -> None:
        """Records the gradients of a step; call between the backward pass and the optimiser."""
        for part, gradients in _last_field(model).watched_gradients().items():
            largest = torch.stack([gradient.abs().amax() for gradient in gradients]).amax()
            so_far = self._largest.setdefault(part, torch.zeros_like(largest))
            torch.maximum(so_far, largest, out=so_far)  # in place: a CUDA graph replays addresses

    def record_in(self, largest: dict[str, Tensor]) -> None:
        """Goes on in other tensors, which a batch may update; they take over the maxima so far."""
        for part, tensor in largest.items():
            tensor.copy_(self._largest.get(part, torch.zeros_like(tensor)))
        self._largest = largest

    def needs_model(self, step: int) -> bool:
        """Whether `check` reads the model after `step`: the current window is long enough."""
        return step - self._window_start >= DEAD_GRADIENT_STEPS

    def check(self, step: int, loss: float, model: Nerf) -> Verdict:
        """The verdict after `step` by its loss and the gradients of the current window.

        A window is closed, and the next begun, when it is `DEAD_GRADIENT_STEPS` long or more.
        """
        if not math.isfinite(loss):
            return _diverged("the loss", loss, step)
        if not self.needs_model(step):
            return HEALTHY
        dead = [
            part for part, largest in self._largest.items() if largest.item() <= MAX_DEAD_GRADIENT
        ]
        if dead:
            explain = explain_frozen_density if dead[0] == "density" else explain_frozen_position
            reason = explain(model, self._scene, list(model.passes())[-1], self._window_start)
            return Verdict("collapsed", reason)
        self._window_start = step
        for largest in self._largest.values():
            largest.zero_()
        return HEALTHY

    def check_quality(self, step: int, psnr: float) -> Verdict:
        """The verdict after an evaluation during the run, by its held-out PSNR in dB."""
        if math.isnan(psnr):
            return _diverged("the held-out PSNR", psnr, step)
        missed = explain_missed_object(self._config, self._scene)
        if missed and step >= MISSED_OBJECT_MIN_STEPS and psnr < self._trivial_psnrs["mean image"]:
            return Verdict("collapsed", missed)
        return HEALTHY

    def check_end(
        self, curve: Sequence[tuple[int, float]], losses: Sequence[float], contrast: float
    ) -> Verdict:
        """The verdict at the end of a run.

        `curve` has the (step, held-out PSNR in dB) of every evaluation, `losses` the mean squared
        error of each pass in the last step, `contrast` is that of the held-out views as rendered.
        """
        if losses[-1] > MAX_FINE_TO_COARSE_ERROR * losses[0]:
            return Verdict(
                "collapsed",
                "the fine pass is much worse than the coarse one: squared error "
                f"{losses[-1]:.2g} against {losses[0]:.2g} in the last step; try another seed or "
                "sampling.fine=0",
            )
        last_step, last_psnr = curve[-1]
        second_half = [psnr for step, psnr in curve if step >= last_step / 2]
        plateau = len(second_half) > 1 and max(second_half) - min(second_half) < PLATEAU_MAX_RANGE
        rate_sum = sum(learning_rate(step, self._config) for step in range(last_step))
        if not plateau or rate_sum < MIN_LEARNING_RATE_SUM:
            return HEALTHY
        background, flat = self._trivial_psnrs["background"], self._trivial_psnrs["mean colour"]
        lowest = min(background, flat) - TRIVIAL_PSNR_MARGIN
        highest = max(background, flat) + TRIVIAL_PSNR_MARGIN
        if contrast < MAX_FLAT_CONTRAST or lowest <= last_psnr <= highest:
            shown = "one flat colour, " if contrast < MAX_FLAT_CONTRAST else ""
            return Verdict(
                "collapsed",
                f"learnt nothing: {shown}{last_psnr:.1f} dB on held-out views, unchanged over the "
                f"second half of the run; the mean colour alone gives {flat:.1f} dB, the "
                f"background {background:.1f}; {suggest_start(self._config, self._scene)}",
            )
        return HEALTHY

    def state(self) -> dict[str, Any]:
        """The current window, for a checkpoint."""
        return {
            "window_start": self._window_start,
            "largest": {part: largest.clone() for part, largest in self._largest.items()},
        }

    def restore(self, state: dict[str, Any], device: torch.device) -> None:
        """Resumes the window that `state` returned, on `device`."""
        self._window_start = state["window_start"]
        self._largest = {part: largest.to(device) for part, largest in state["largest"].items()}


def explain_missed_object(config: NerfConfig, scene: Scene) -> str:
    """Why no ray can meet the object between near and far; empty if one can, or if unknown.

    Known only if the scene's bounds are certain, i.e. computed from silhouettes that show all of
    the object. Bounds from matched points or camera positions leave outliers outside.
    """
    near, far = config.sampling.near, config.sampling.far
    if not scene.bounds.certain or (near < scene.bounds.far and far > scene.bounds.near):
        return ""
    return (
        f"no ray meets the object between near={near:.2f} and far={far:.2f}: it lies between "
        f"{scene.bounds.near:.2f} and {scene.bounds.far:.2f}; move sampling.near or sampling.far"
    )


def _diverged(quantity: str, value: float, step: int) -> Verdict:
    remedy = "lower optimisation.learning_rate or set optimisation.gradient_clip"
    return Verdict("collapsed", f"diverged: {quantity} is {value} at step {step}; {remedy}")


def _last_field(model: Nerf) -> PointField:
    """The field of the last pass.

    A dead coarse field is not a collapse: its weights are equal, so that the fine field still
    learns, from evenly spread samples.
    """
    return list(model.passes().values())[-1]
