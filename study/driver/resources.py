"""What the machine has, and how many trials fit on it at once."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from nerf.common.errors import InputError
from study.spec.study_spec import StudySpec

MOST_A_GPU = 8
"""Trials that share a GPU unless told otherwise."""

ROOM = 32 * 2**20
"""Free bytes below which a study does not begin: its tables, journal and some checkpoints."""


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
    cpus = _cpus()
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
        slots = min(slots, slots_of_gpus(gpus, spec.gpus_per_trial))
    at_once = min(slots, spec.max_concurrent) if spec.max_concurrent else slots
    return Resources(cpus, gpus, at_once)


def slots_of_gpus(gpus: int, per_trial: float) -> int:
    """Trials that so many GPUs hold: Ray packs fractions of one GPU, never a share of two."""
    return gpus * int(1 / per_trial) if per_trial < 1 else int(gpus / per_trial)


def gpu_share(cpus_per_trial: int) -> float:
    """The share of a GPU that lets every CPU here drive a trial; 0 where there is no GPU.

    A rule of thumb, not measured: what a GPU bears depends on the networks.
    """
    gpus = _gpus()
    if not gpus:
        return 0.0
    return 1 / max(min(_cpus() // max(cpus_per_trial * gpus, 1), MOST_A_GPU), 1)


def has_room(path: Path) -> bool:
    """Is there room for a study in the folder `path`, or in its nearest ancestor that exists?"""
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free >= ROOM


def require_room(path: Path) -> None:
    """Raises `InputError` where the disk is as good as full."""
    if not has_room(path):
        raise InputError(
            f"the disk that holds {path} is full: less than {ROOM // 2**20} MB are free; make "
            "room, or name another place with --studies"
        )


def _cpus() -> int:
    affinity = hasattr(os, "sched_getaffinity")
    return len(os.sched_getaffinity(0)) if affinity else os.cpu_count() or 1


def _gpus() -> int:
    import torch

    return torch.cuda.device_count()
