"""Scenes and sweeps small enough that a whole study takes seconds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from study.ledger.ledger import Ledger
from study.records.study_folder import StudyFolder
from study.spec.study_spec import StudySpec, study_space

RUN_SWEEP = Path(__file__).parents[2] / "study" / "run_sweep.py"

# What must never be found in a study folder.
SECRETS = {"WANDB_API_KEY": "5ec4e7" * 6 + "aaaa", "AWS_SECRET_ACCESS_KEY": "5ec4e7" * 6}

# The cheapest training that is one: a few rays and samples on a scene of 24 x 24 pixels.
TINY = [
    "--set=optimisation.rays=64",
    "--set=sampling.coarse=8",
    "--set=evaluation.pixels=256",
    "--set=evaluation.final_pixels=256",
    "--set=field.depth=2",
    "--vary=sampling.near",
    "--vary=field.width=16:32",
    "--vary=field.density_activation",
    "--vary=optimisation.learning_rate",
]


def start(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    """The command, as a person runs it; stderr comes with stdout."""
    return subprocess.Popen(
        [sys.executable, str(RUN_SWEEP), *arguments],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | SECRETS | {"OMP_NUM_THREADS": "1"},
    )


def wait_for(process: subprocess.Popen[str], happened: Callable[[], bool]) -> None:
    """Returns when it has happened; a process that ends before is an error."""
    deadline = time.monotonic() + 240  # for a machine that does much else
    while not happened():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def kill_tree(process: subprocess.Popen[str]) -> None:
    """SIGKILL for a process and all its descendants at once, as when the machine dies."""
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    for member in family:
        member.kill()
    psutil.wait_procs(family, timeout=20)
    process.communicate()


@pytest.fixture
def spec() -> StudySpec:
    """Three explored and four optimised trials of 90 steps."""
    space = study_space(["sampling.near", "field.width=16:32", "field.density_activation"], [], 90)
    return StudySpec(space=space, explore=3, optimize=4, steps=90)


@pytest.fixture
def folder(tmp_path: Path) -> StudyFolder:
    return StudyFolder(tmp_path / "a study")


@pytest.fixture
def open_ledger(folder: StudyFolder, spec: StudySpec) -> Iterator[Callable[[], Ledger]]:
    """Opens the folder's ledger, as a driver does that finds the last one dead."""
    opened: list[Ledger] = []

    def open_now() -> Ledger:
        for ledger in opened:
            ledger.close()
        opened.append(Ledger(folder, spec))
        return opened[-1]

    yield open_now
    for ledger in opened:
        ledger.close()


def curve(*psnrs: float) -> tuple[dict[str, Any], ...]:
    """A trial's curve: one evaluation every 5 steps."""
    keys = {"seconds": 0.1, "loss": 0.1, "ssim": 0.5, "learning_rate": 1e-3}
    return tuple({"step": 5 * (k + 1), "psnr": psnr, **keys} for k, psnr in enumerate(psnrs))


def record(folder: StudyFolder, trial_id: str) -> dict[str, Any]:
    return dict(json.loads(folder.record_file(trial_id).read_text()))
