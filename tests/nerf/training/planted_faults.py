"""Faults that a CUDA graph does not forgive, each planted into the real training step."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest import mock

import torch
from fake_cuda.cases import PLAIN, SMALL
from fake_cuda.device import FakeGenerator, FakeGraph, FakeStream

from nerf.config.flat import Flat
from nerf.model.occupancy import OccupancyGrid
from nerf.training.batch.slot import Slot
from nerf.training.batch.tiles import TilePlan
from nerf.training.batch.trainer import BatchTrainer
from nerf.training.cuda_graph import WARMUP_CALLS, GraphedStep
from nerf.training.health import HealthWatch
from nerf.training.ray_batches import Batch, TrainingRays
from nerf.training.step import TrainingStep


@dataclass(frozen=True)
class Fault:
    """A replacement for a method, and words of the problem that it must cause."""

    owner: type
    method: str
    replacement: Callable[..., Any]
    problem: str
    settings: Flat

    def planted(self) -> contextlib.AbstractContextManager[Any]:
        return mock.patch.object(self.owner, self.method, self.replacement)


_draw, _record, _select = TrainingRays.draw, HealthWatch.record_gradients, OccupancyGrid.select
_call, _init, _replay = TrainingStep.__call__, TrainingStep.__init__, GraphedStep.__call__
_slot_draw, _step, _refit = Slot.draw, BatchTrainer.step, TilePlan.refit


def _draw_with_generator_of_cpu(rays: Any, count: int, generator: Any, cropped: bool) -> Batch:
    return _draw(rays, count, FakeGenerator("cpu"), cropped)


def _draw_with_tensor_of_host(rays: Any, *given: Any) -> Batch:
    batch = _draw(rays, *given)
    batch.rgb.add_(torch.tensor([0.0, 0.0, 0.0]).to(batch.rgb.device))
    return batch


def _draw_with_scalar_of_cpu(rays: Any, *given: Any) -> Batch:
    batch = _draw(rays, *given)
    batch.rgb.mul_(torch.tensor(1.0))
    return batch


def _draw_with_assigned_number(rays: Any, *given: Any) -> Batch:
    batch = _draw(rays, *given)
    batch.rgb[0] = 0.0
    return batch


def _record_with_branch(health: Any, model: Any) -> None:
    _record(health, model)
    if health._largest["density"] > 1:
        health._largest["density"].zero_()


def _record_into_new_tensors(health: Any, model: Any) -> None:
    _record(health, model)
    health._largest = {part: 1 * largest for part, largest in health._largest.items()}


def _select_by_nonzero(grid: Any, visible: Any, step: Any = None) -> torch.Tensor:
    return visible.flatten().nonzero().flatten()


def _select_as_many_as_visible(grid: Any, visible: Any, step: Any = None) -> torch.Tensor:
    with mock.patch.object(grid, "capacity", None):
        return _select(grid, visible, step)


def _call_with_new_rate(step: Any) -> None:
    step._rate = step._rate.clone()
    step.optimiser.param_groups[0]["lr"] = step._rate
    _call(step)


def _init_with_cycle(step: Any, *given: Any) -> None:
    _init(step, *given)
    step._graphed.step = step._update


def _replay_whatever_the_key(graphed: Any, step: Any, key: Any) -> None:
    _replay(graphed, step, "one")


def _run_on_new_stream(graphed: Any, step: Any) -> None:
    with torch.cuda.stream(FakeStream()):
        step()


def _ignore(*_: Any) -> None:
    pass


def _draw_from_generator_of_run(slot: Any, draws: Any) -> None:
    with mock.patch.object(slot, "_generator", None):
        _slot_draw(slot, draws)


def _step_with_branch(trainer: Any) -> None:
    _step(trainer)
    if trainer.losses[0, 0] > 1:
        trainer.losses.zero_()


def _refit_in_new_tensors(plan: Any, counts: Any, size: int) -> TilePlan:
    new = _refit(plan, counts, size)
    return TilePlan(new.slot.clone(), new.first.clone(), new.counts.clone())


CROPPED: Flat = {**PLAIN, "optimisation.crop_steps": WARMUP_CALLS + 2}

DRAW_FAULTS = {
    "a generator of the CPU": (_draw_with_generator_of_cpu, "generator of the CPU"),
    "a tensor from the host": (_draw_with_tensor_of_host, "mixes"),
    "a scalar of the CPU": (_draw_with_scalar_of_cpu, "mixes"),
    "an assigned number": (_draw_with_assigned_number, "assigns a number"),
}
"""Replacements of TrainingRays.draw, each with its problem."""

FAULTS = {
    name: Fault(TrainingRays, "draw", replacement, problem, PLAIN)
    for name, (replacement, problem) in DRAW_FAULTS.items()
} | {
    "a branch on a tensor": Fault(
        HealthWatch, "record_gradients", _record_with_branch, "waits for the device", PLAIN
    ),
    "maxima in new tensors": Fault(
        HealthWatch, "record_gradients", _record_into_new_tensors, "freed memory", PLAIN
    ),
    "samples chosen by nonzero": Fault(
        OccupancyGrid, "select", _select_by_nonzero, "nonzero", SMALL
    ),
    "as many samples as are visible": Fault(
        OccupancyGrid, "select", _select_as_many_as_visible, "waits for the device: reads", SMALL
    ),
    "a new learning rate every step": Fault(
        TrainingStep, "__call__", _call_with_new_rate, "has replaced", PLAIN
    ),
    "a reference cycle": Fault(TrainingStep, "__init__", _init_with_cycle, "cycle", PLAIN),
    "a graph that is kept": Fault(TrainingStep, "release", _ignore, "not released", PLAIN),
    "a key that is ignored": Fault(
        GraphedStep, "__call__", _replay_whatever_the_key, "changed since", CROPPED
    ),
    "a stream for each warm-up": Fault(
        GraphedStep, "_run_on_stream", _run_on_new_stream, "another stream", PLAIN
    ),
    "a generator that is not registered": Fault(
        FakeGraph, "register_generator_state", _ignore, "does not advance", PLAIN
    ),
}

BATCH_FAULTS = {
    "draws from the generator of the run": Fault(
        Slot, "draw", _draw_from_generator_of_run, "does not advance", PLAIN
    ),
    "a branch on the losses of a batch": Fault(
        BatchTrainer, "step", _step_with_branch, "waits for the device", PLAIN
    ),
    "tiles in new tensors": Fault(
        TilePlan, "refit", _refit_in_new_tensors, "captured again", SMALL
    ),
}
"""Faults in the step of a batch of two runs."""
