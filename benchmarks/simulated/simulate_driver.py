"""A driver without Ray: its trial manager, ledger, records and view, and workers that only report.

The workers train nothing. Each trial reports `REPORTS` evaluations and its outcome, as a real one
does, in turn with all others that run; one in five collapses.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from simulated.objective import STEPS, TRIVIAL_PSNRS, Objective
from simulated.simulate_study import describe_study
from study.driver.launch_callback import LaunchCallback
from study.driver.trial_manager import TrialManager
from study.ledger.ledger import Ledger
from study.monitor.live_view import LiveView
from study.protocol.messages import Assignment, Message, Outcome
from study.protocol.stopping import Stop
from study.records.study_folder import StudyFolder
from study.spec.study_spec import StudySpec

REPORTS = 3
"""Evaluations of a trial."""


def create_study(path: Path, objective: Objective, trials: int) -> tuple[StudyFolder, StudySpec]:
    """A new study of explored trials only."""
    spec = StudySpec(
        space=objective.space,
        scene="synthetic",
        explore=trials,
        optimize=0,
        replicates=0,
        steps=STEPS,
    )
    folder = StudyFolder(path)
    folder.path.mkdir(parents=True)
    folder.write_spec(describe_study(objective, spec, folder.name))
    return folder, spec


@contextmanager
def open_manager(folder: StudyFolder, spec: StudySpec) -> Iterator[TrialManager]:
    """A trial manager of the study, as a launch makes it."""
    ledger = Ledger(folder, spec)
    try:
        yield TrialManager(folder, ledger, ())
    finally:
        ledger.close()


def run_all(manager: TrialManager, at_once: int) -> None:
    """Runs all trials of a study, so many of them at once; writes its tables at the end."""
    spec = manager.ledger.spec
    running: deque[tuple[Assignment, tuple[dict[str, Any], ...]]] = deque()
    with Path(os.devnull).open("w") as nowhere:
        console = Console(file=nowhere)
        view = LiveView(console, manager.folder.name, spec, {"": max(TRIVIAL_PSNRS.values())})
        callback = LaunchCallback(manager, view, Stop("resume"), "launch", None)
        while True:
            while len(running) < at_once and (assignment := manager.next_trial()):
                running.append((assignment, ()))
                callback.on_step_end(0, [])
            if not running:
                break
            assignment, curve = running.popleft()
            curve = (*curve, _evaluate(assignment.number, len(curve) + 1))
            is_last = len(curve) == REPORTS
            outcome = _end(assignment.number, curve[-1]) if is_last else None
            manager.on_report(Message(assignment.number, "host", "cpu", curve, outcome))
            if not is_last:
                running.append((assignment, curve))
            callback.on_step_end(0, [])
        manager.ledger.plot_outcomes()
        manager.folder.write_tables()


def _evaluate(number: int, index: int) -> dict[str, Any]:
    psnr = 18.0 + index + 0.1 * (number % 7)
    return {
        "step": index * STEPS // REPORTS, "seconds": 3.0 * index, "loss": 10 ** (-psnr / 10),
        "psnr": psnr, "ssim": psnr / 40, "learning_rate": 1e-3,
    }  # fmt: skip


def _end(number: int, last: dict[str, Any]) -> Outcome:
    collapsed = number % 5 == 0
    return Outcome(
        state="collapsed" if collapsed else "completed",
        reason="density is zero everywhere" if collapsed else "",
        steps_done=STEPS,
        value=last["psnr"],
        metrics={"ssim": last["ssim"]},
        train_seconds=last["seconds"],
        host="host",
        device="cpu",
    )
