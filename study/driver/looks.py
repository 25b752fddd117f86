"""Looks at a study that explores until a claim is settled, in a process of its own.

An analysis takes seconds and imports what a driver does not need; `analysis/look.py` is a command.
No trial runs while it looks: all that were planned have ended.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from nerf.common.errors import InputError
from study.records.study_folder import StudyFolder

_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Look:
    """What a look at all explored trials found; text: what is settled, or not yet, as a clause."""

    trials: int
    is_settled: bool
    text: str


def take_look(folder: StudyFolder, should_stop: Callable[[], bool]) -> Look | None:
    """Looks at the study's tables; None where the launch is to stop before it is done.

    Raises `InputError` where the analysis fails.
    """
    # -P: a folder of the user called analysis is not to be taken for ours.
    command = [sys.executable, "-P", "-m", "analysis.look", "--json", str(folder.path)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        while process.poll() is None:
            if should_stop():
                process.kill()
                return None
            time.sleep(_POLL_SECONDS)
        output, errors = process.communicate()
    if process.returncode:
        last = (errors.strip().splitlines() or [f"exit status {process.returncode}"])[-1]
        raise InputError(f"the look at the explored trials failed ({last})")
    return Look(**json.loads(output))
