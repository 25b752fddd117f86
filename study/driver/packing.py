"""How many trials are packed on a GPU: measured for `--pack auto`; and the end of their batches.

K trials of equal networks cost a GPU little more than one, as launches of kernels dominate a small
network's step. How much more depends on the network and on the GPU, so it is measured.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import ray

from nerf.common.errors import InputError
from nerf.config.schema import NerfConfig
from nerf.scenes.scene import Scene
from study.spec.study_spec import StudySpec
from study.worker.batch_client import batch_prefix
from study.worker.batch_speed import Speed, measure_speeds

SIZES = (1, 4, 8, 16, 32)
"""Numbers of trials on a GPU that are measured."""

_GAIN = 1.05
"""How much faster more trials have to be: each of them needs a process, too."""

_TIMEOUT = 180.0
"""Seconds that a node has to start a process with a GPU and measure one size."""


def settle_pack(spec: StudySpec, scene: Scene | None, notify: Callable[[str], None]) -> StudySpec:
    """The spec with a number in place of `--pack auto`; asks Ray for a GPU to measure it on.

    `notify` receives each measurement, what was chosen, and why. Raises `InputError` where nothing
    can be measured.
    """
    if not spec.gpus_per_trial:
        return _settle_on_cpus(spec, notify)
    if spec.pack:
        if spec.pack > 1:
            notify(
                f"--pack {spec.pack}: {spec.pack} trials on each GPU, those alike as one network"
            )
        return spec
    assert scene is not None  # of NeRFs, as only they can be packed
    speeds = []
    for speed in _speeds_on_a_gpu(spec.reference_config, scene):
        notify(f"--pack auto: {_describe(speed)}")
        speeds.append(speed)
    pack = best_size(speeds)
    notify(f"--pack auto: {pack}, the fastest for the study's default configuration")
    return replace(spec, pack=pack)


def _settle_on_cpus(spec: StudySpec, notify: Callable[[str], None]) -> StudySpec:
    if spec.pack == 0:
        notify("--pack auto: 1, as no trial uses a GPU (--gpus-per-trial is 0)")
        return replace(spec, pack=1)
    if spec.pack > 1:
        threads = f"{spec.cpus_per_trial} CPU{'' if spec.cpus_per_trial == 1 else 's'}"
        notify(f"--pack {spec.pack}: {spec.pack} trials share {threads}; it is faster on GPUs only")
    return spec


def best_size(speeds: Sequence[Speed]) -> int:
    """The fastest size, or a smaller one that is as good as it; 1 where none was measured."""
    fastest = max((speed.steps_per_second for speed in speeds), default=0.0)
    good = (s.size for s in speeds if s.steps_per_second * _GAIN >= fastest > 0)
    return min(good, default=1)


def end_batches(launch: str) -> None:
    """Ends the batches of a launch, which belong to no trial; without it they end later."""
    if not ray.is_initialized():
        return
    with contextlib.suppress(ray.exceptions.RayError, ValueError):
        for name in ray.util.list_named_actors():
            if name.startswith(batch_prefix(launch)):
                ray.kill(ray.get_actor(name))


def _describe(speed: Speed) -> str:
    trials = f"{speed.size} trial{'' if speed.size == 1 else 's'} on a GPU"
    if speed.problem:
        return f"{trials}: not measured ({speed.problem})"
    return f"{trials}: {speed.steps_per_second:,.0f} steps/s in all"


def _speeds_on_a_gpu(config: NerfConfig, scene: Scene) -> Iterator[Speed]:
    """Measures on whichever node has a whole GPU free; yields each size as it is known."""
    measured: Any = _measure.remote(config, ray.put(scene), SIZES)
    try:
        while True:
            ready, _ = ray.wait([measured], timeout=_TIMEOUT)
            if not ready:
                raise InputError(
                    f"--pack auto could not measure within {_TIMEOUT:.0f} s, as no GPU was free or "
                    "answered; give --pack a number"
                )
            yield ray.get(next(measured))
    except StopIteration:
        return
    except ray.exceptions.RayError as error:
        cause = next(iter(str(error).splitlines()), type(error).__name__)
        raise InputError(
            f"--pack auto could not measure ({cause}); give --pack a number"
        ) from error
    finally:
        ray.cancel(measured)


# Its process ends after it, and gives the GPU's memory back.
@ray.remote(num_cpus=0, num_gpus=1, max_calls=1, max_retries=0, num_returns="streaming")
def _measure(config: NerfConfig, scene: Scene, sizes: Sequence[int]) -> Iterator[Speed]:
    yield from measure_speeds(config, scene, sizes, "cuda")
