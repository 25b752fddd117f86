"""Launches of run_sweep.py on a scene and a budget so small that a whole study takes seconds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

RUN_SWEEP = Path(__file__).parents[2] / "study" / "run_sweep.py"

# What a study folder must never contain.
SECRETS = {"WANDB_API_KEY": "5ec4e7" * 6 + "aaaa", "AWS_SECRET_ACCESS_KEY": "5ec4e7" * 6}

PATIENCE = 600.0
"""Seconds that a launch may take on a machine that does much else; none takes a tenth of it."""

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

# Progress of a study of two trials that completed: so small a budget may show nothing.
BOTH_COMPLETED = r"2/2 trials, (2 trained|2 show nothing|1 trained, 1 shows nothing), best"


def start(
    *arguments: str, cwd: Path, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """Starts the command in a process group of its own, as a terminal does; stderr joins stdout."""
    return subprocess.Popen(
        [sys.executable, str(RUN_SWEEP), *arguments],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | SECRETS | {"OMP_NUM_THREADS": "1"} | (environment or {}),
        start_new_session=True,
        preexec_fn=_hear_hang_up,
    )


def _hear_hang_up() -> None:
    """Undoes what `nohup` did to the tests: whoever starts a study under it wants no hang-up."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def hooks(**settings: str) -> dict[str, str]:
    """The environment of a launch whose trials hooks/sitecustomize.py treats by these settings."""
    path = [str(Path(__file__).parent / "hooks"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(path), **settings}


def wait_for(process: subprocess.Popen[str], happened: Callable[[], bool]) -> None:
    """Returns once `happened` is true; fails where the process ends first."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def end_of(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit status and the output of a launch that ends by itself."""
    output, _ = process.communicate(timeout=PATIENCE)
    return process.returncode, output


def kill_tree(process: subprocess.Popen[str]) -> None:
    """SIGKILL for a process and all its descendants at once, as when the machine dies."""
    kill_all([psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)])
    process.communicate()


def kill_all(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    wait_until_gone(processes)


def wait_until_gone(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """The processes that still live after half a minute; none as a rule, and at once."""
    deadline = time.monotonic() + 30
    while (alive := [process for process in processes if lives(process)]) and (
        time.monotonic() < deadline
    ):
        time.sleep(0.05)
    return alive


def lives(process: psutil.Process) -> bool:
    """A zombie does not: it only waits for its parent to take note."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
