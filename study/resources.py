"""What the machine has, and how many trials fit on it at once."""

from __future__ import annotations

import os
from dataclasses import dataclass

from nerf.errors import InputError
from study.spec import StudySpec


@dataclass(frozen=True)
class Resources:
    """What Ray is told that there is, and the trials that run at once."""

    cpus: int
    gpus: int
    at_once: int


def fit(spec: StudySpec) -> Resources:
    """What this machine gives the study; raises `InputError` where not even one trial fits.

    Ray itself would wait for ever, in silence, for what does not exist.
    """
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    gpus = _gpus() if spec.gpus_per_trial else 0
    slots = cpus // spec.cpus_per_trial
    if slots < 1:
        raise InputError(
            f"--cpus-per-trial {spec.cpus_per_trial} is more than the {cpus} here; lower it"
        )
    if spec.gpus_per_trial:
        if spec.gpus_per_trial > gpus:
            raise InputError(
                f"--gpus-per-trial {spec.gpus_per_trial:g} is more than the {gpus} here; lower it, "
                "or leave it out to train on CPUs"
            )
        # Ray packs fractions of one GPU, never a share of two.
        each = int(1 / spec.gpus_per_trial) if spec.gpus_per_trial < 1 else 1
        slots = min(slots, int(gpus * each / max(spec.gpus_per_trial, 1)))
    at_once = min(slots, spec.max_concurrent) if spec.max_concurrent else slots
    return Resources(cpus, gpus, at_once)


def _gpus() -> int:
    import torch

    return torch.cuda.device_count()
