"""The process that runs all steps on the fake GPU, sound ones and such with planted faults.

    PYTHONPATH=benchmarks python -m tests.nerf.training.fake_cuda_process OUT.json

A process of its own, because it replaces parts of PyTorch for good.
"""

from __future__ import annotations

import gc
import json
import sys
import weakref
from dataclasses import asdict
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from fake_cuda.cases import BATCHES, CASES, PLAIN, RESUMED
from fake_cuda.guard import install_guard
from fake_cuda.simulate import simulate
from fake_cuda.simulate_batch import simulate_batch

from nerf.training.cuda_graph import WARMUP_CALLS
from nerf.training.ray_batches import TrainingRays
from tests.nerf.training.planted_faults import BATCH_FAULTS, FAULTS, Fault


def problems_of(fault: Fault, batched: bool) -> list[str]:
    """What is noticed of a planted fault, in one run or in a batch of two."""
    try:
        with fault.planted():
            if batched:
                return list(simulate_batch([fault.settings] * 2).problems)
            return list(simulate(fault.settings).problems)
    except Exception as error:
        return [f"{type(error).__name__}: {error}"]


def run_out_of_memory() -> dict[str, Any]:
    """The error of a capture that runs out of memory, and whether that keeps the run's memory."""
    draws: list[weakref.ref[TrainingRays]] = []

    def draw(rays: TrainingRays, *given: Any) -> Any:
        draws.append(weakref.ref(rays))
        if len(draws) > WARMUP_CALLS:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return original(rays, *given)

    original = TrainingRays.draw
    gc.disable()  # it might free what a reference cycle keeps
    try:
        with mock.patch.object(TrainingRays, "draw", draw):
            simulate(PLAIN)
    except Exception as error:
        name = f"{type(error).__name__}: {error}"
    finally:
        gc.enable()
    return {"error": name, "freed": draws[0]() is None}


def main() -> None:
    install_guard()
    cases = {name: asdict(simulate(case, name in RESUMED)) for name, case in CASES.items()}
    faults = {name: problems_of(fault, False) for name, fault in FAULTS.items()}
    faults |= {name: problems_of(fault, True) for name, fault in BATCH_FAULTS.items()}
    results = {
        "cases": cases,
        "batches": {name: asdict(simulate_batch(members)) for name, members in BATCHES.items()},
        "faults": faults,
        "out of memory": run_out_of_memory(),
    }
    Path(sys.argv[1]).write_text(json.dumps(results))


if __name__ == "__main__":
    main()
