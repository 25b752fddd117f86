"""The estimate of the time left after a quarter of a study, against the time it took."""

from __future__ import annotations

import heapq
import itertools

import numpy as np
import pytest

from study.driver.trial_manager import TrialManager
from study.ledger.ledger import Ledger
from study.monitor.progress import StepRate, study_progress
from study.protocol.messages import Assignment, Message, Outcome
from study.records.study_folder import StudyFolder
from study.search.successive_halving import rungs
from study.spec.study_space import study_space
from study.spec.study_spec import StudySpec
from tests.study.trials import curve

WORKERS, EVALUATIONS, STEPS = 4, 12, 60
START = 8.0
"""Seconds that Ray takes to start."""


def seconds_a_step(assignment: Assignment) -> float:
    """As the width of its network, beside what is the same for all."""
    return 0.1 * (0.5 + float(assignment.values["field.width"]) / 64)


def simulate(folder: StudyFolder, spec: StudySpec) -> list[tuple[float, float]]:
    """Runs a study on a clock of its own: when what was estimates to be left; at last its end."""
    clock, count = START, itertools.count()
    draw, step_rate = np.random.default_rng(spec.seed), StepRate()
    ledger = Ledger(folder, spec)
    manager = TrialManager(folder, ledger, rungs(STEPS))
    events: list[tuple[float, int, Assignment, int, float]] = []
    estimates: list[tuple[float, float]] = []

    def go_on(assignment: Assignment, evaluations: int, best: float) -> None:
        at = clock + seconds_a_step(assignment) * STEPS / EVALUATIONS
        heapq.heappush(events, (at, next(count), assignment, evaluations + 1, best))

    def begin() -> None:
        if assignment := manager.next_trial():
            low, high = (10, 25) if assignment.phase == "explore" else (15, 26)
            go_on(assignment, 0, draw.uniform(low, high))

    for _ in range(WORKERS):
        begin()
    while events:
        clock, _, assignment, evaluations, best = heapq.heappop(events)
        if not estimates:  # a launch looks all the time
            step_rate.update(clock, study_progress(ledger.trials(), spec))
        points = curve(*(best * (1 - np.exp(-k / 4)) for k in range(1, evaluations + 1)))
        done = evaluations == EVALUATIONS
        outcome = Outcome("completed", "", STEPS, points[-1]["psnr"]) if done else None
        if manager.on_report(Message(assignment.number, "", "", points, outcome)) and not done:
            go_on(assignment, evaluations, best)
            continue
        begin()
        progress = study_progress(ledger.trials(), spec)
        if rate := step_rate.update(clock, progress):
            estimates.append((clock, progress.steps_left / rate))
    ledger.close()
    return [*estimates, (clock, 0.0)]


@pytest.mark.parametrize(("explore", "optimize"), [(32, 8), (64, 32), (30, 0)])
def test_time_left_is_right_within_a_fifth_after_a_quarter(
    explore: int, optimize: int, folder: StudyFolder
) -> None:
    space = study_space(["field.width=32:128"], [], STEPS)
    estimates = simulate(
        folder, StudySpec(space, explore=explore, optimize=optimize, replicates=0, steps=STEPS)
    )
    end = estimates[-1][0]
    at, left = next((at, left) for at, left in estimates if at >= end / 4)
    assert left == pytest.approx(end - at, rel=0.2)
