"""Pruners by name: what each stops, by the reports of trials, before and after a restart."""

from __future__ import annotations

import dataclasses

import pytest

from nerf.common.errors import InputError
from study.driver.trial_manager import TrialManager
from study.ledger.ledger import Ledger
from study.protocol.messages import Message, Outcome
from study.records.schema import trial_id
from study.records.study_folder import StudyFolder
from study.search.pruning_steps import pruning_steps
from study.spec.study_spec import StudySpec
from tests.study.trials import curve, record


def run(folder: StudyFolder, spec: StudySpec, weak: int, restart: bool) -> list[tuple[str, str]]:
    """State and reason of each trial: eight of 20 dB, then `weak` ones of 10 dB."""
    ledger = Ledger(folder, spec)
    manager = TrialManager(folder, ledger, pruning_steps(spec.pruner, spec.steps))
    for k in range(8 + weak):
        if restart:
            ledger.close()
            ledger = Ledger(folder, spec)
            manager = TrialManager(folder, ledger, pruning_steps(spec.pruner, spec.steps))
        assignment = manager.next_trial()
        assert assignment
        psnr, goes_on, steps = (20.0 if k < 8 else 10.0), True, 0
        while goes_on and steps < 17:
            steps += 1
            report = curve(*[psnr + 0.01 * step for step in range(steps)])
            goes_on = manager.on_report(Message(k, "here", "a CPU", report))
        if goes_on:
            outcome = Outcome("completed", steps_done=90, value=psnr + 0.2)
            last = curve(*[psnr + 0.01 * step for step in range(18)])
            manager.on_report(Message(k, "here", "a CPU", last, outcome))
    ledger.close()
    rows = [record(folder, trial_id(k))["trial"] for k in range(8 + weak)]
    return [(row["state"], row["reason"]) for row in rows]


@pytest.fixture
def planned(spec: StudySpec) -> StudySpec:
    return dataclasses.replace(spec, explore=7, optimize=9)


@pytest.mark.parametrize("restart", [False, True])
def test_the_median_rule_stops_weak_trials_at_the_first_ninth(
    restart: bool, folder: StudyFolder, planned: StudySpec
) -> None:
    ended = run(folder, dataclasses.replace(planned, pruner="median"), 2, restart)
    assert [state for state, _ in ended] == ["completed"] * 8 + ["pruned"] * 2
    assert ended[-1][1] == "stopped by the median rule at step 10"


def test_the_median_rule_waits_for_five_completed_trials(
    folder: StudyFolder, spec: StudySpec
) -> None:
    few = dataclasses.replace(spec, explore=2, optimize=8, pruner="median")
    manager = TrialManager(folder, ledger := Ledger(folder, few), pruning_steps("median", 90))
    for _ in range(3):
        assignment = manager.next_trial()
        assert assignment
        outcome = Outcome("completed", steps_done=90, value=20.0)
        last = curve(*[20.0] * 18)
        manager.on_report(Message(assignment.number, "here", "a CPU", last, outcome))
    weak = manager.next_trial()
    assert weak
    assert weak.may_be_pruned
    assert manager.on_report(Message(weak.number, "here", "a CPU", curve(5.0, 5.0)))
    ledger.close()


def test_hyperband_stops_some_of_many_equally_weak_trials_in_brackets(
    folder: StudyFolder, planned: StudySpec
) -> None:
    """Among optimised trials alone, of which the first of each rung goes on."""
    once = run(folder, dataclasses.replace(planned, pruner="hyperband"), 8, restart=False)
    assert {state for state, _ in once[:8]} == {"completed"}
    again = StudyFolder(folder.path.with_name("other") / folder.name)
    assert run(again, dataclasses.replace(planned, pruner="hyperband"), 8, restart=True) == once


def test_without_a_pruner_every_trial_runs_to_its_end(
    folder: StudyFolder, planned: StudySpec
) -> None:
    ended = run(folder, dataclasses.replace(planned, pruner="none"), 8, restart=False)
    assert {state for state, _ in ended} == {"completed"}


@pytest.mark.parametrize("budget", [1, 2, 9, 10, 300, 1000])
def test_steps_at_which_trials_may_end_lie_within_the_budget(budget: int) -> None:
    for pruner in ("halving", "median", "hyperband"):
        steps = pruning_steps(pruner, budget)
        assert all(0 < step < budget for step in steps)
    assert pruning_steps("median", 90) == (10, 20, 30, 40, 50, 60, 70, 80)


def test_an_unknown_pruner_is_refused(spec: StudySpec) -> None:
    with pytest.raises(InputError, match="one of halving, median, hyperband, none; got 'asha'"):
        dataclasses.replace(spec, pruner="asha")
