"""Trains a configuration on the fake GPU: first steps, captures, a resumption, an evaluation."""

from __future__ import annotations

import contextlib
import gc
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from unittest import mock

from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._pytree import tree_map

from fake_cuda.device import FakeGpu, FakeGraph
from fake_cuda.recorder import Cost
from nerf.config.flat import Flat, build, with_suggested_bounds
from nerf.config.schema import NerfConfig
from nerf.evaluation.trivial_baselines import trivial_psnrs
from nerf.model.occupancy import UPDATE_INTERVAL, WARMUP_STEPS
from nerf.scenes import load
from nerf.scenes.scene import Scene
from nerf.training.cuda_graph import WARMUP_CALLS
from nerf.training.loop import HEALTH_CHECK_INTERVAL
from nerf.training.run import TrainingRun
from nerf.training.schedule import cropped_steps, warm_up_steps

VISIBLE_SHARE = 0.2
"""Share of the samples that are visible once an occupancy grid has been updated."""

VOXEL_GRID = (17, 17, 17)
"""Points along each axis of a grid of voxels."""


@dataclass(frozen=True)
class Simulation(Cost):
    """What a configuration does on a GPU, with the cost of its last captured step."""

    problems: tuple[str, ...]
    """What would break a CUDA graph or keep its memory; empty for a step that runs."""
    captures: int
    eager_steps: int
    """Steps, of the simulated ones, that were not replays."""
    waits: dict[str, int]
    """Waits for the device in training, by function."""
    evaluation_waits: dict[str, int]
    """The same in one evaluation."""


@cache
def load_scene() -> tuple[Scene, dict[str, float]]:
    """The built-in scene and its trivial PSNRs; both need real numbers."""
    scene = load("bricks")
    return scene, trivial_psnrs(scene)


def simulate(settings: Flat, resumes: bool = False) -> Simulation:
    """Trains until nothing more changes, captures once more, and evaluates.

    With `resumes`, the run is also restored from its own state and captured again.
    """
    gpu = FakeGpu()
    load_scene()
    with gpu.installed(), no_collection(), FakeTensorMode():
        run = new_run(settings)
        with gpu.recorder:
            _train(run, gpu)
            waits, steps, graphs = gpu.recorder.waits.copy(), run.steps_done, [*gpu.graphs]
            replays = sum(graph.replays for graph in graphs)
            _check_capture_again(run, gpu)
            if resumes:
                _restore(run)
                _capture(run, gpu)
            gpu.recorder.waits.clear()
            run.evaluate()
        model, step = weakref.ref(run.model), weakref.ref(run.step)
        run.release()
        del run
        check_released(gpu, model() is None and step() is None)
    last = graphs[-1].recording
    return Simulation(
        problems=tuple(sorted(gpu.recorder.problems)),
        captures=len(graphs),
        eager_steps=steps - replays,
        waits=dict(waits),
        evaluation_waits=dict(gpu.recorder.waits),
        **vars(last.cost()),
    )


def new_run(settings: Flat) -> TrainingRun:
    """A run on the built-in scene and the fake GPU."""
    scene, psnrs = load_scene()
    config = build(with_suggested_bounds(settings, scene.bounds.near, scene.bounds.far))
    with (
        mock.patch("nerf.training.run.trivial_psnrs", return_value=psnrs),
        # The shape of a grid of voxels depends on the box, whose numbers are fake.
        mock.patch("nerf.model.dense_grid.grid_shape", return_value=VOXEL_GRID),
    ):
        return TrainingRun(config, scene, "cuda:0")


def _train(run: TrainingRun, gpu: FakeGpu) -> None:
    """Trains past the last change of what a step computes."""
    optimisation = run.config.optimisation
    grids = run.model.occupancy_grids()
    while run.steps_done < last_change(run.config) + WARMUP_CALLS + 2:
        share = 1.0 if run.steps_done <= first_update(run.config) else VISIBLE_SHARE
        for grid in grids:
            address = grid.max_visible.untyped_storage()._cdata
            gpu.recorder.numbers[address] = int(share * optimisation.rays * grid.samples)
        run.advance()
        if run.steps_done % HEALTH_CHECK_INTERVAL == 0:
            run.check_health()


def first_update(config: NerfConfig) -> int:
    """The step after which an occupancy grid may skip samples for the first time."""
    warm = WARMUP_STEPS + warm_up_steps(config.optimisation)
    return -(-warm // UPDATE_INTERVAL) * UPDATE_INTERVAL


def last_change(config: NerfConfig) -> int:
    """The step after which what a step computes does not change any more."""
    fitted = first_update(config) + UPDATE_INTERVAL if config.compute.occupancy else 0
    return max(cropped_steps(config.optimisation), fitted)


def _capture(run: TrainingRun, gpu: FakeGpu) -> FakeGraph:
    """The graph of a new capture, after a shorter warm-up than real libraries need."""
    with mock.patch("nerf.training.cuda_graph.WARMUP_CALLS", 1):
        for _ in range(3):
            run.advance()
    return gpu.graphs[-1]


def _check_capture_again(run: TrainingRun, gpu: FakeGpu) -> None:
    """Captures the step once more and compares the graphs."""
    before = gpu.graphs[-1]
    run.step.release()
    compare_captures(gpu, before, _capture(run, gpu))


def compare_captures(gpu: FakeGpu, before: FakeGraph, after: FakeGraph) -> None:
    """A capture in place of the last one has to have the same operations and inputs.

    Otherwise the last one replays what the step no longer does, on memory that it no longer uses.
    """
    if before is after or before.recording.operations != after.recording.operations:
        gpu.recorder.problems.add("the step has changed since it was captured")
    ours, theirs = before.recording.inputs, after.recording.inputs
    for address in ours.keys() ^ theirs.keys():
        _, use = (ours | theirs)[address]
        gpu.recorder.problems.add(f"a replay uses memory that the step has replaced: {use}")


def _restore(run: TrainingRun) -> None:
    """Restores the run from a copy of its own state on the CPU, as from a checkpoint file."""
    state = tree_map(lambda each: each.cpu() if isinstance(each, Tensor) else each, run.state())
    run.restore(state)


def check_released(gpu: FakeGpu, is_freed: bool) -> None:
    """Notes what a finished run leaves behind on the GPU."""
    if not is_freed:
        gpu.recorder.problems.add("a finished run is kept by a reference cycle")
    if not all(graph.is_reset for graph in gpu.graphs):
        gpu.recorder.problems.add("the graph of a finished run is not released")


@contextlib.contextmanager
def no_collection() -> Iterator[None]:
    """Turns off the garbage collector, which torch does not run before a capture either."""
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
