"""The ledger: exactly the planned trials after any crash, and only true outcomes in the journal."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from optuna.trial import TrialState

from nerf.common.errors import InputError
from study.ledger.ledger import Ledger
from study.protocol.messages import Assignment, Outcome
from study.records.study_folder import StudyFolder
from study.search.sobol_design import explore_point, trial_seed
from study.spec.study_spec import StudySpec

Open = Callable[[], Ledger]


def ask_all(ledger: Ledger) -> list[Assignment]:
    return list(iter(ledger.ask, None))


def test_explored_points_are_the_design_exactly(open_ledger: Open, spec: StudySpec) -> None:
    assignments = ask_all(open_ledger())
    assert [a.phase for a in assignments] == ["explore"] * 3 + ["optimize"] * 4
    assert [a.values for a in assignments[:3]] == [
        explore_point(spec.space, 0, i, spec.nets) for i in range(3)
    ]
    assert [a.seed for a in assignments] == [trial_seed(0, number) for number in range(7)]


def test_the_first_optimised_trial_is_the_default(open_ledger: Open, spec: StudySpec) -> None:
    assignments = ask_all(open_ledger())
    assert [a.number for a in assignments if a.is_default_config] == [3]
    assert assignments[3].values == spec.space.defaults()


def test_optuna_sees_real_parameters_and_distributions(open_ledger: Open, spec: StudySpec) -> None:
    ledger = open_ledger()
    assignments = ask_all(ledger)
    for assignment, trial in zip(assignments, ledger.trials(), strict=True):
        assert trial.params == assignment.values
        assert set(trial.distributions) == {d.path for d in spec.space.dimensions}
        spec.space.config(assignment.values)


def test_trials_of_a_dead_driver_are_still_running_under_their_numbers(open_ledger: Open) -> None:
    ledger = open_ledger()
    assignments = [ledger.ask() for _ in range(5)]
    ledger.tell(1, Outcome("completed", "", 90, 20.0))
    again = open_ledger()
    assert again.running() == [a for a in assignments if a and a.number != 1]
    assert [a.number for a in ask_all(again)] == [5, 6]


def test_a_renamed_folder_keeps_its_trials(
    open_ledger: Open, folder: StudyFolder, spec: StudySpec
) -> None:
    ledger = open_ledger()
    assignments = ask_all(ledger)
    ledger.close()
    moved = StudyFolder(folder.path.rename(folder.path.with_name("moved")))
    again = Ledger(moved, spec)
    assert again.running() == assignments
    again.close()


def test_values_missing_from_an_interrupted_proposal_are_drawn(
    open_ledger: Open, folder: StudyFolder, spec: StudySpec
) -> None:
    """A driver may die at any line of the journal: here at each that creates the fifth trial."""
    ledger = open_ledger()
    for _ in range(5):
        ledger.ask()
    lines = folder.journal.read_bytes().splitlines(keepends=True)
    birth = max(i for i, line in enumerate(lines) if b'"op_code":4' in line)
    for end in range(birth + 1, len(lines) + 1):
        folder.journal.write_bytes(b"".join(lines[:end]))
        again = open_ledger()
        assert [a.number for a in again.running()] == [0, 1, 2, 3, 4]
        assert set(again.running()[4].values) == {d.path for d in spec.space.dimensions}


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_an_incomplete_last_line_is_removed(
    open_ledger: Open, folder: StudyFolder, cut: int
) -> None:
    ledger = open_ledger()
    ledger.ask()
    whole = folder.journal.read_bytes()
    ledger.ask()
    added = folder.journal.read_bytes()[len(whole) :]
    folder.journal.write_bytes(whole + added[:cut])
    again = open_ledger()
    assert [a.number for a in again.running()] == [0]
    assert [a.number for a in ask_all(again)] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("state", "steps", "psnr", "expected"),
    [
        ("completed", 90, 20.0, TrialState.COMPLETE),
        ("collapsed", 90, 9.0, TrialState.COMPLETE),
        ("collapsed", 90, math.nan, TrialState.PRUNED),
        ("collapsed", 35, 9.0, TrialState.PRUNED),
        ("pruned", 30, 9.0, TrialState.PRUNED),
        ("failed", 0, math.nan, TrialState.FAIL),
    ],
)
def test_only_trials_of_a_full_budget_are_complete_for_optuna(
    open_ledger: Open, state: str, steps: int, psnr: float, expected: TrialState
) -> None:
    ledger = open_ledger()
    ledger.ask()
    ledger.report(0, [(30, 9.0)])
    ledger.tell(0, Outcome(state, "why", steps, psnr))
    (trial,) = open_ledger().trials()
    assert trial.state == expected
    assert trial.user_attrs["state"] == state
    assert trial.user_attrs["reason"] == "why"
    assert trial.user_attrs["steps_done"] == steps


def test_an_outcome_is_never_overwritten(open_ledger: Open) -> None:
    ledger = open_ledger()
    ledger.ask()
    ledger.tell(0, Outcome("completed", "", 90, 20.0))
    ledger.tell(0, Outcome("failed", "late news", 90, 20.0))
    assert ledger.trials()[0].state == TrialState.COMPLETE
    assert ledger.trials()[0].user_attrs["reason"] == ""


def test_each_finite_value_is_stored_once(open_ledger: Open, folder: StudyFolder) -> None:
    ledger = open_ledger()
    ledger.ask()
    ledger.report(0, [(5, 10.0), (10, math.nan)])
    size = folder.journal.stat().st_size
    ledger.report(0, [(5, 10.0), (10, math.nan)])
    assert folder.journal.stat().st_size == size
    assert ledger.reported_from(5) == [10.0]
    assert ledger.reported_from(10) == []


def test_a_second_driver_is_refused_naming_the_first(
    open_ledger: Open, folder: StudyFolder, spec: StudySpec
) -> None:
    open_ledger()
    with pytest.raises(InputError, match=rf"is being run by process {os.getpid()} on \S+; wait"):
        Ledger(folder, spec)


def test_proposals_do_not_repeat_after_a_restart(open_ledger: Open, folder: StudyFolder) -> None:
    ledger = open_ledger()
    for number in range(5):
        ledger.ask()
        ledger.tell(number, Outcome("completed", "", 90, 10.0 + number))
    fifth = open_ledger().ask()
    sixth = open_ledger().ask()
    assert fifth
    assert sixth
    assert fifth.values != sixth.values


def test_a_stale_lock_of_optuna_is_removed(open_ledger: Open, folder: StudyFolder) -> None:
    open_ledger()
    stale = Path(f"{folder.journal}.lock")
    stale.symlink_to(folder.journal)
    assert open_ledger().ask()
    assert not stale.is_symlink()


def test_no_trial_costs_a_pass_over_all_others(
    open_ledger: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = open_ledger()
    ledger.reported_from(30)  # which lists them once

    def fail(*states: TrialState) -> None:
        raise AssertionError("all trials were listed")

    monkeypatch.setattr(ledger, "trials", fail)
    trial = ledger.ask()
    assert trial
    ledger.report(trial.number, [(10, 12.0), (30, 14.0)])
    assert ledger.reported_from(30) == [14.0]
    assert ledger.add_failure(trial.number, "a reason") == 1
    ledger.tell(trial.number, Outcome("completed", "", 90, 20.0))
    monkeypatch.undo()
    assert ledger.trials()[trial.number].value == 20.0
    assert open_ledger().reported_from(30) == [14.0]
