"""Makes trials fail, crawl or stand still, in any process that has this folder on its path.

Python imports a module of this name by itself as it starts. Variables choose what happens:
`FAULTS=1` strikes each trial by `_FAULTS`, `SECONDS_A_STEP=0.1` slows every step down without
using the processor, and with `HELD_FROM=2` trials from number 2 on stand still at step 41, until
the file `HELD_UNTIL` exists where one is named. Training is hooked as it is imported, so that
nothing is loaded earlier than it would be.
"""

from __future__ import annotations

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

    def hooked(*values: Any, on_step: Callable[[int], None], checkpoint: Path, **rest: Any) -> Any:
        def stepped(step: int) -> None:
            on_step(step)
            time.sleep(_SECONDS_A_STEP)
            if step == _HELD_AT and int(checkpoint.stem) >= _HELD_FROM:
                _hold()
            if "FAULTS" in os.environ:
                _strike(step, checkpoint)

        return train(*values, on_step=stepped, checkpoint=checkpoint, **rest)

    training.train = hooked
    training.TrainingRun.__init__ = remembered
    # The first step imports it, which on a busy machine may take longer than a short --patience.
    importlib.import_module("torch._dynamo")


class _Finder:
    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name != "nerf.training.loop":
            return None
        sys.meta_path.remove(self)  # type: ignore[arg-type]
        spec = importlib.util.find_spec(name)
        assert spec
        assert spec.loader
        execute = spec.loader.exec_module

        def execute_and_hook(module: Any) -> None:
            execute(module)
            _hook(module)

        spec.loader.exec_module = execute_and_hook  # type: ignore[method-assign]
        return spec


sys.meta_path.insert(0, _Finder())  # type: ignore[arg-type]
