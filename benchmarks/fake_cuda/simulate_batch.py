"""Trains a batch of runs on the fake GPU: first steps, captures, and a run that takes a slot."""

from __future__ import annotations

import weakref
from dataclasses import dataclass

from torch._subclasses.fake_tensor import FakeTensorMode

from fake_cuda.device import FakeGpu, FakeGraph
from fake_cuda.recorder import Cost
from fake_cuda.simulate import (
    VISIBLE_SHARE,
    check_released,
    compare_captures,
    first_update,
    last_change,
    load_scene,
    new_run,
    no_collection,
)
from nerf.config.flat import Flat
from nerf.model.occupancy import UPDATE_INTERVAL
from nerf.training.batch.run_batch import RunBatch
from nerf.training.cuda_graph import WARMUP_CALLS
from nerf.training.loop import HEALTH_CHECK_INTERVAL
from nerf.training.run import TrainingRun


@dataclass(frozen=True)
class BatchSimulation(Cost):
    """What a batch does on a GPU, with the cost of the captured step of all its members."""

    problems: tuple[str, ...]
    """What would break a CUDA graph or keep memory, or captures that should not be needed."""
    captures: int
    """Captures of the step of all members; those of the draws are small."""
    draw_operations: int
    """Operations of the draws of one member; in `operations` are those of all together."""
    draw_bytes: int


def simulate_batch(members: list[Flat]) -> BatchSimulation:
    """Trains runs of these settings until nothing changes; then another takes the first slot."""
    gpu = FakeGpu()
    load_scene()
    with gpu.installed(), no_collection(), FakeTensorMode():
        batch = RunBatch(len(members), "cuda:0")
        for seed, settings in enumerate(members):
            batch.add(new_run({**settings, "seed": seed}))
        newcomer = new_run({**members[0], "seed": len(members)})
        models = [weakref.ref(run.model) for run in (*batch.members, newcomer)]
        with gpu.recorder:
            changes = max(last_change(run.config) for run in batch.members)
            _train(batch, gpu, changes + UPDATE_INTERVAL + WARMUP_CALLS + 2)
            step, captures = _last_step(gpu), len(_steps(gpu))
            draws = _last_draws(gpu)
            _swap(batch, newcomer, gpu)
            _check_capture_again(batch, gpu)
        for run in batch.members:
            batch.remove(run)
            run.release()
        batch.release()
        del run, batch, newcomer
        check_released(gpu, not any(model() for model in models))
    return BatchSimulation(
        **vars(step.recording.cost()),
        problems=tuple(sorted(gpu.recorder.problems)),
        captures=captures,
        draw_operations=sum(draws.recording.operations.values()),
        draw_bytes=draws.recording.bytes,
    )


def _train(batch: RunBatch, gpu: FakeGpu, steps: int) -> None:
    """Trains as many steps, after the first ones with few samples visible."""
    assert batch.trainer is not None
    for _ in range(steps):
        run = batch.members[0]
        share = 1.0 if run.steps_done <= first_update(run.config) else VISIBLE_SHARE
        for grids in batch.trainer.renderer.grids:
            address = grids.max_visible.untyped_storage()._cdata
            visible = int(share * run.config.optimisation.rays * grids.samples)
            gpu.recorder.numbers[address] = visible
        batch.advance()
        if run.steps_done % HEALTH_CHECK_INTERVAL == 0:
            run.check_health()


def _swap(batch: RunBatch, newcomer: TrainingRun, gpu: FakeGpu) -> None:
    """Puts a run into the slot of another, whose grids show as few samples."""
    before = _last_step(gpu)
    old = batch.members[0]
    for own, other in zip(
        newcomer.model.occupancy_grids(), old.model.occupancy_grids(), strict=True
    ):
        own.capacity = other.capacity
    batch.remove(old)
    old.release()
    batch.add(newcomer)
    for _ in range(WARMUP_CALLS + 2):
        batch.advance()
    if _last_step(gpu) is not before:
        gpu.recorder.problems.add("a new member has the step of all captured again")
    batch.store(newcomer)


def _check_capture_again(batch: RunBatch, gpu: FakeGpu) -> None:
    """Captures the step once more and compares the graphs."""
    before = _last_step(gpu)
    batch.release()
    for _ in range(WARMUP_CALLS + 2):
        batch.advance()
    compare_captures(gpu, before, _last_step(gpu))


def _steps(gpu: FakeGpu) -> list[FakeGraph]:
    """The graphs of the step of all members: those with matrix products."""
    return [graph for graph in gpu.graphs if graph.recording.flop]


def _last_step(gpu: FakeGpu) -> FakeGraph:
    return _steps(gpu)[-1]


def _last_draws(gpu: FakeGpu) -> FakeGraph:
    """The last graph of one member's draws: the others have no random numbers."""
    return [graph for graph in gpu.graphs if graph.recording.generators][-1]
