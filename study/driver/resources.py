"""CPUs, GPUs and free disk space of this machine, and how many trials fit on it at once."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from nerf.common.errors import InputError
from study.spec.study_spec import StudySpec

MAX_TRIALS_PER_GPU = 8
"""Trials that share a GPU with `--gpus-per-trial auto`."""

MIN_FREE_BYTES = 32 * 2**20
"""Free space that a study needs to start: its tables, journal and some checkpoints."""


@dataclass(frozen=True)
class Resources:
    """What Ray may use, and how many trials run at once."""

    cpus: int
    gpus: int
    at_once: int

    @staticmethod
    def with_slots(cpus: int, gpus: int, slots: int, spec: StudySpec) -> Resources:
        """Runs as many trials at once as there are `slots`, or as `--max-concurrent` allows."""
        at_once = min(slots, spec.max_concurrent) if spec.max_concurrent else slots
        return Resources(cpus, gpus, at_once)


def fit_machine(spec: StudySpec) -> Resources:
    """What this machine gives the study; raises `InputError` where not even one trial fits.

    Ray itself would wait without end, in silence, for resources that do not exist.
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
        slots = min(slots, gpu_slots(gpus, spec.gpus_per_trial))
    if spec.pack > 1:  # a machine without GPUs trains one batch
        slots = spec.pack * (slots if spec.gpus_per_trial else 1)
    return Resources.with_slots(cpus, gpus, slots, spec)


def trial_resources(spec: StudySpec) -> dict[str, float]:
    """The CPUs and GPUs of one trial, by Ray's names: a share where several are packed."""
    resources = {"CPU": float(spec.cpus_per_trial), "GPU": spec.gpus_per_trial}
    if spec.pack > 1:  # rounded down to Ray's unit, so that all shares fit
        resources = {name: int(1e4 * n / spec.pack) / 1e4 for name, n in resources.items()}
    return {name: amount for name, amount in resources.items() if amount}


def gpu_slots(gpus: int, per_trial: float) -> int:
    """Trials that fit on so many GPUs: Ray packs fractions of one GPU, never a share of two."""
    return gpus * int(1 / per_trial) if per_trial < 1 else int(gpus / per_trial)


def gpu_share(cpus_per_trial: int) -> float:
    """The share of a GPU so that every CPU here can run a trial; 0 where there is no GPU.

    A rule of thumb, not measured: how many trials a GPU sustains depends on the networks.
    """
    gpus = _gpus()
    if not gpus:
        return 0.0
    return 1 / max(min(_cpus() // max(cpus_per_trial * gpus, 1), MAX_TRIALS_PER_GPU), 1)


def has_free_space(path: Path) -> bool:
    """Whether the disk of `path`, or of its nearest ancestor that exists, has room for a study."""
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free >= MIN_FREE_BYTES


def require_free_space(path: Path) -> None:
    """Raises `InputError` where the disk is as good as full."""
    if not has_free_space(path):
        raise InputError(
            f"the disk that holds {path} is full: less than {MIN_FREE_BYTES // 2**20} MB are free; "
            "free some, or name another place with --studies"
        )


def _cpus() -> int:
    # Fewer than the machine has where this process is restricted to some of them, as by Slurm.
    affinity = hasattr(os, "sched_getaffinity")
    return len(os.sched_getaffinity(0)) if affinity else os.cpu_count() or 1


def _gpus() -> int:
    import torch

    return torch.cuda.device_count()
