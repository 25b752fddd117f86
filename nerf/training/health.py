"""Is this run alive? Names the reason when it is not.

A slow run and a dead one look the same from outside: a dark picture, a loss that stays. What tells
them apart is whether training can still change anything, so the early verdicts rest on that alone:

    diverged        the loss is no number; it never becomes one again
    frozen density  the gradient of the density head has been nothing for a while
    frozen position the gradient of the first layer has: the picture cannot depend on the place
                    (both of the pass whose picture is shown)
    missed object   near and far leave the whole object out, and held-out quality shows it

The last verdict, at the end of the budget, is on the held-out quality itself: still at a trivial
picture, or a fine pass far under the coarse one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from nerf.config.schema import NerfConfig
from nerf.model.field import RadianceField
from nerf.model.nerf import Nerf
from nerf.scenes.scene import Scene
from nerf.training.diagnosis import frozen_density, frozen_position
from nerf.training.schedule import learning_rate

State = Literal["completed", "collapsed"]

DEAD_GRADIENT = 1e-11
"""Largest entry of a gradient that is as good as none: against Adam's epsilon of 1e-8 a step then
moves a weight by a thousandth of the learning rate at most, whatever the number of steps."""

PATIENCE = 100
"""Steps for which a gradient must have been dead: some ten thousand rays, all over the scene."""

MISS_STEPS = 200
"""Steps after which bounds that leave the object out are held to their held-out quality."""

STILL = 0.1
"""dB within which a dead run's held-out quality stays over the second half of its budget."""

NEAR_TRIVIAL = 0.3
"""dB from a trivial picture within which a run shows no more than that picture."""

FINE_UNDER_COARSE = 4.0
"""Times the coarse error (6 dB) that a fine pass, which sees more samples, has only when stuck."""

TRAVEL = 0.3
"""Sum of a run's learning rates that tells stuck from slow: Adam can move a weight about that far,
several times the size of an initial weight."""


@dataclass(frozen=True)
class Verdict:
    """How a run stands; `reason` is empty while it is alive."""

    state: State
    reason: str = ""


ALIVE = Verdict("completed")


class HealthWatch:
    """Follows the gradients of a run and gives a verdict as soon as one is safe.

    It costs a few reductions over small tensors a step and waits for the device only at a look.
    """

    def __init__(self, config: NerfConfig, scene: Scene, trivial: dict[str, float]) -> None:
        self._config = config
        self._scene = scene
        self._trivial = trivial
        self._largest: dict[str, Tensor] = {}
        self._window_start = 0

    def stepped(self, model: Nerf) -> None:
        """Takes note of a step's gradients, before they are cleared."""
        for part, gradients in _watched(_shown(model)).items():
            largest = torch.stack([gradient.abs().amax() for gradient in gradients]).amax()
            known = self._largest.setdefault(part, torch.zeros_like(largest))
            torch.maximum(known, largest, out=known)  # in place, as a CUDA graph needs it

    def look(self, step: int, loss: float, model: Nerf) -> Verdict:
        """The verdict after `step`, from what happened since the last look that found life."""
        if not math.isfinite(loss):
            return _diverged("the loss", loss, step)
        if step - self._window_start < PATIENCE:
            return ALIVE
        dead = [part for part, largest in self._largest.items() if largest.item() <= DEAD_GRADIENT]
        if dead:
            explain = frozen_density if dead[0] == "density" else frozen_position
            reason = explain(model, self._scene, list(model.passes())[-1], self._window_start)
            return Verdict("collapsed", reason)
        self._window_start = step
        for largest in self._largest.values():
            largest.zero_()
        return ALIVE

    def state(self) -> dict[str, Any]:
        """What `restore` needs for a resumed run to be judged as an unbroken one."""
        return {
            "window_start": self._window_start,
            "largest": {part: largest.clone() for part, largest in self._largest.items()},
        }

    def restore(self, state: dict[str, Any], device: torch.device) -> None:
        """Goes on watching where `state` was taken, on `device`."""
        self._window_start = state["window_start"]
        self._largest = {part: largest.to(device) for part, largest in state["largest"].items()}

    def evaluated(self, step: int, psnr: float) -> Verdict:
        """The verdict on a held-out PSNR in dB: is it a number, can it ever be a good one?"""
        if math.isnan(psnr):
            return _diverged("the held-out PSNR", psnr, step)
        missed = missed_object(self._config, self._scene)
        if missed and step >= MISS_STEPS and psnr < self._trivial["mean image"]:
            return Verdict("collapsed", missed)
        return ALIVE

    def ended(self, curve: Sequence[tuple[int, float]], losses: Sequence[float]) -> Verdict:
        """The verdict on a whole budget, from its (step, held-out PSNR in dB) and last losses.

        `losses` has the mean squared error of each pass on the last rays.
        """
        last_step, last = curve[-1]
        if losses[-1] > FINE_UNDER_COARSE * losses[0]:
            return Verdict(
                "collapsed",
                f"the fine field is far under the coarse one: its last error is {losses[-1]:.2g}, "
                f"the coarse one's {losses[0]:.2g}; try another seed or sampling.fine=0",
            )
        latter = [psnr for step, psnr in curve if step >= last_step / 2]
        trivial = (self._trivial["background"], self._trivial["mean colour"])
        still = len(latter) > 1 and max(latter) - min(latter) < STILL
        optimisation = self._config.optimisation
        travel = sum(learning_rate(step, optimisation) for step in range(last_step))
        if (
            travel >= TRAVEL
            and still
            and min(trivial) - NEAR_TRIVIAL <= last <= max(trivial) + NEAR_TRIVIAL
        ):
            return Verdict(
                "collapsed",
                f"learnt nothing: {last:.1f} dB on held-out views, still since half the budget, "
                f"where a flat colour has {trivial[1]:.1f} dB, the background {trivial[0]:.1f}",
            )
        return ALIVE


def missed_object(config: NerfConfig, scene: Scene) -> str:
    """Why no ray can meet the object between near and far; empty where some can.

    Certain only where the scene's silhouettes show all that there is: then its bounds hold all of
    it. Bounds from matched points or cameras leave outliers out, and nothing is said.
    """
    near, far = config.sampling.near, config.sampling.far
    if not scene.bounds.certain or (near < scene.bounds.far and far > scene.bounds.near):
        return ""
    return (
        f"no ray meets the object between near={near:.2f} and far={far:.2f}: it lies between "
        f"{scene.bounds.near:.2f} and {scene.bounds.far:.2f}; move sampling.near or sampling.far"
    )


def _diverged(what: str, value: float, step: int) -> Verdict:
    remedy = "lower optimisation.learning_rate or set optimisation.gradient_clip"
    return Verdict("collapsed", f"diverged: {what} is {value} at step {step}; {remedy}")


def _shown(model: Nerf) -> RadianceField:
    """The field of the last pass, whose picture is the result. A coarse pass that has died leaves
    the fine one evenly spread samples, with which it goes on learning."""
    return list(model.passes().values())[-1]


def _watched(field: RadianceField) -> dict[str, list[Tensor]]:
    """The gradients without which a field can learn no shape: one alive in each list is enough."""
    entries = field.position_weights()
    density = (field.density.weight, field.density.bias)
    return {
        "density": [weights.grad for weights in density if weights.grad is not None],
        "position": [
            weights.grad[:, :columns] for weights, columns in entries if weights.grad is not None
        ],
    }
