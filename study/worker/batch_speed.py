"""Measures how fast a device trains so many runs of one configuration as a batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from nerf.config.schema import NerfConfig
from nerf.scenes.scene import Scene
from study.protocol.failures import diagnose_exception
from study.trainers.nerf_size import describe_size

MEASURED_SECONDS = 1.0
"""Seconds of training that are timed for each number of runs, after as many to warm up."""

_MAX_STEPS = 20_000
"""Steps that a run may take, however few a trial has."""

_MAX_MEMORY_SHARE = 0.8
"""Share of the free memory that a number of runs may be expected to need."""


@dataclass(frozen=True)
class Speed:
    """Steps per second of `size` runs, all together."""

    size: int
    steps_per_second: float = 0.0
    problem: str = ""
    """Why so many were not measured."""


def measure_speeds(
    config: NerfConfig,
    scene: Scene,
    sizes: Sequence[int],
    device: str,
    seconds: float = MEASURED_SECONDS,
) -> Iterator[Speed]:
    """The speed of each size, in ascending order, up to the first that the memory cannot hold."""
    memory = 0.0  # bytes of a run, as the last size had it
    for size in sizes:
        if problem := _lack_of_memory(memory * size, device):
            yield Speed(size, problem=problem)
            return
        try:
            yield Speed(size, _steps_per_second(config, scene, size, device, seconds))
        except Exception as error:
            failure = diagnose_exception(error, describe_size(config))
            if not failure.out_of_memory:
                raise
            yield Speed(size, problem=failure.reason)
            return
        memory = _peak_memory(device) / size


def _steps_per_second(
    config: NerfConfig, scene: Scene, size: int, device: str, seconds: float
) -> float:
    """Of one run alone, or of a batch of runs that differ in their seeds."""
    from nerf.training.batch.run_batch import RunBatch
    from nerf.training.run import TrainingRun

    steps = max(config.optimisation.steps, _MAX_STEPS)
    longer = replace(config, optimisation=replace(config.optimisation, steps=steps))
    runs = [TrainingRun(replace(longer, seed=seed), scene, device) for seed in range(size)]
    if size == 1:
        return _time(runs[0].advance, runs[0].loss, steps, seconds)
    batch = RunBatch(size, device)
    for run in runs:
        batch.add(run)
    try:
        return size * _time(batch.advance, runs[0].loss, steps, seconds)
    finally:
        batch.release()
        for run in batch.members:
            run.leave()  # run and batch refer to each other, and would keep their memory


def _time(
    advance: Callable[[], None], wait: Callable[[], float], steps: int, seconds: float
) -> float:
    """Calls of `advance` per second, after a warm-up; `wait` waits for the device."""
    done = 0
    for _ in range(2):
        wait()
        began, count = time.perf_counter(), 0
        while time.perf_counter() < began + seconds and done < steps:
            for _ in range(min(10, steps - done)):
                advance()
            done, count = done + 10, count + 10
            wait()  # else the host would run far ahead of the device
        rate = count / (time.perf_counter() - began)
    return rate


def _lack_of_memory(needed: float, device: str) -> str:
    if device != "cuda":
        return ""
    import torch

    from nerf.training.cuda_graph import release_cached_memory

    release_cached_memory()
    free, _ = torch.cuda.mem_get_info()
    torch.cuda.reset_peak_memory_stats()
    if needed <= _MAX_MEMORY_SHARE * free:
        return ""
    return f"needs about {needed / 2**30:.1f} GiB, {free / 2**30:.1f} GiB are free"


def _peak_memory(device: str) -> float:
    if device != "cuda":
        return 0.0
    import torch

    return float(torch.cuda.max_memory_reserved())
