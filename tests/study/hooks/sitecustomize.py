"""Makes trials fail, crawl or stand still, in any process that has this folder on its path.

Python imports a module of this name by itself as it starts. Variables choose what happens:
`FAULTS=1` strikes each trial by `_FAULTS`, `SECONDS_A_STEP=0.1` slows every step down without
using the processor, and with `HELD_FROM=2` trials from number 2 on stand still at step 41, until
the file `HELD_UNTIL` exists where one is named. Once the file `FAKE_GPUS` exists, torch claims to
see as many GPUs as a process may use, and trials on one of them train on the CPU; while the file
`BROKEN_GPUS` exists, they get a CUDA error. A batch of trials is slowed down and put on the CPU in
the same way, and notes itself as `batch`; `--pack auto` measures two trials. All this is hooked as
it is imported, so that nothing is loaded earlier than it would be.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def _raise() -> None:
    raise ValueError("a fault\nof its own")


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _hang() -> None:
    time.sleep(1e6)


def _eat_memory() -> None:
    import torch

    torch.empty(1 << 46)


_runs: list[Any] = []


def _diverge() -> None:
    for parameter in _runs[-1].model.parameters():
        parameter.data.fill_(float("nan"))


_FAULTS: dict[str, tuple[Callable[[], None], bool]] = {  # by trial: what happens, and only once?
    "00000": (_raise, False),
    "00001": (_hang, False),
    "00002": (_kill, True),
    "00003": (_eat_memory, False),
    "00004": (_raise, True),
    "00006": (_diverge, False),
}


_SECONDS_A_STEP = float(os.environ.get("SECONDS_A_STEP", "0"))
_HELD_FROM, _HELD_AT = int(os.environ.get("HELD_FROM", "100000")), 41
_HELD_UNTIL = Path(os.environ.get("HELD_UNTIL", "/no/such/file"))


_FAKE_GPUS = Path(os.environ.get("FAKE_GPUS", "/no/such/file"))
_BROKEN_GPUS = Path(os.environ.get("BROKEN_GPUS", "/no/such/file"))


def _fake_gpus(torch: Any) -> None:
    if not _FAKE_GPUS.exists():
        return
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "0,1").split(",")
    torch.cuda.init = lambda: None
    torch.cuda.device_count = lambda: len(visible)
    torch.cuda.get_device_name = lambda index=0: "a fake GPU"
    torch.cuda.mem_get_info = lambda index=0: (3 << 30, 4 << 30)


def _use_gpu(user: str) -> str:
    """The CPU, in place of a GPU; notes which one the user was given."""
    gpu = os.environ["CUDA_VISIBLE_DEVICES"]
    with _FAKE_GPUS.open("a") as file:
        file.write(f"{user} {gpu} {os.getpid()}\n")
    if _BROKEN_GPUS.exists():
        raise RuntimeError("CUDA error: an illegal memory access was encountered")
    return "cpu"


def _hold() -> None:
    while not _HELD_UNTIL.exists():
        time.sleep(0.05)


def _strike(step: int, checkpoint: Path) -> None:
    fault, once = _FAULTS.get(checkpoint.stem, (None, False))
    struck = checkpoint.with_suffix(".struck")
    if fault and step == 50 and not (once and struck.exists()):
        struck.touch()
        fault()


def _hook(training: Any) -> None:
    train, begin = training.train, training.TrainingRun.__init__

    def remembered(self: Any, *values: Any, **options: Any) -> None:
        begin(self, *values, **options)
        _runs.append(self)

    def hooked(config: Any, scene: Any, callbacks: Any, *, checkpoint: Path, device: str) -> Any:
        def stepped(step: int) -> None:
            callbacks.on_step(step)
            time.sleep(_SECONDS_A_STEP)
            if step == _HELD_AT and int(checkpoint.stem) >= _HELD_FROM:
                _hold()
            if "FAULTS" in os.environ:
                _strike(step, checkpoint)

        if device == "cuda":
            device = _use_gpu(checkpoint.stem)
        hooked_callbacks = dataclasses.replace(callbacks, on_step=stepped)
        return train(config, scene, hooked_callbacks, checkpoint=checkpoint, device=device)

    training.train = hooked
    training.TrainingRun.__init__ = remembered
    # The first step imports it, which on a busy machine may take longer than a short --patience.
    importlib.import_module("torch._dynamo")


def _hook_batch(batch_runs: Any) -> None:
    begin, step = batch_runs.BatchRuns.__init__, batch_runs.BatchRuns.step

    def begun(self: Any, scene: Any, size: int, device: str, *rest: Any) -> None:
        begin(self, scene, size, _use_gpu("batch") if device == "cuda" else device, *rest)

    def stepped(self: Any) -> bool:
        time.sleep(_SECONDS_A_STEP)
        return bool(step(self))

    batch_runs.BatchRuns.__init__ = begun
    batch_runs.BatchRuns.step = stepped


def _hook_speed(batch_speed: Any) -> None:
    measure = batch_speed.measure_speeds

    def measured(config: Any, scene: Any, sizes: Any, device: str) -> Any:
        return measure(config, scene, (2,), _use_gpu("speed"), seconds=0.01)

    batch_speed.measure_speeds = measured


class _Finder:
    """Has a module changed right after it is imported."""

    def __init__(self, module: str, change: Callable[[Any], None]) -> None:
        self._module = module
        self._change = change

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name != self._module:
            return None
        sys.meta_path.remove(self)  # type: ignore[arg-type]
        spec = importlib.util.find_spec(name)
        assert spec
        assert spec.loader
        execute = spec.loader.exec_module

        def execute_and_change(module: Any) -> None:
            execute(module)
            self._change(module)

        spec.loader.exec_module = execute_and_change  # type: ignore[method-assign]
        return spec


sys.meta_path.insert(0, _Finder("nerf.training.loop", _hook))  # type: ignore[arg-type]
sys.meta_path.insert(0, _Finder("study.worker.batch_runs", _hook_batch))  # type: ignore[arg-type]
sys.meta_path.insert(0, _Finder("study.worker.batch_speed", _hook_speed))  # type: ignore[arg-type]
sys.meta_path.insert(0, _Finder("torch", _fake_gpus))  # type: ignore[arg-type]
