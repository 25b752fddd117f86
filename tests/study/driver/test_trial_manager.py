"""The trial manager: what is recorded, in which order, and how a later driver resumes from it."""

from __future__ import annotations

import errno
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from optuna.trial import TrialState

from nerf.common.files import replace_atomically
from study.driver.launch_stop import StopReason
from study.driver.trial_manager import TrialManager
from study.ledger.ledger import Ledger
from study.protocol.messages import Assignment, Failure, Message, Outcome
from study.records.schema import trial_id
from study.records.study_folder import StudyFolder
from tests.study.trials import curve, record

Open = Callable[[], Ledger]
RUNGS = (10, 30)


@pytest.fixture
def manager(open_ledger: Open, folder: StudyFolder) -> TrialManager:
    return TrialManager(folder, open_ledger(), RUNGS)


def report(number: int, *psnrs: float, outcome: Outcome | None = None) -> Message:
    return Message(number, "here", "a CPU", curve(*psnrs), outcome)


def complete(manager: TrialManager, number: int, psnr: float) -> None:
    """Lets a trial reach its full budget of 90 steps, 18 evaluations of 5 steps each."""
    outcome = Outcome("completed", steps_done=90, value=psnr, host="here", device="a CPU")
    assert manager.on_report(report(number, *[psnr] * 18, outcome=outcome))


def explore(manager: TrialManager) -> None:
    for psnr in (10.0, 15.0, 20.0):
        assignment = manager.next_trial()
        assert assignment
        complete(manager, assignment.number, psnr)


def test_explored_trials_are_never_pruned(manager: TrialManager) -> None:
    for psnr in (20.0, 15.0, 10.0):
        assignment = manager.next_trial()
        assert assignment
        assert manager.on_report(report(assignment.number, psnr, psnr))


def test_a_weak_trial_is_pruned_at_a_rung_in_journal_and_record(manager: TrialManager) -> None:
    explore(manager)
    default, weak = manager.next_trial(), manager.next_trial()
    assert default
    assert weak
    assert manager.on_report(report(default.number, 5.0, 5.0)), "the default is never pruned"
    assert manager.on_report(report(weak.number, 5.0)), "no rung yet"
    assert not manager.on_report(report(weak.number, 5.0, 6.0))
    trial = manager.ledger.trials()[weak.number]
    assert trial.state == TrialState.PRUNED
    row = record(manager.folder, trial_id(weak.number))["trial"]
    assert (row["state"], row["steps_done"], row["psnr"]) == ("pruned", 10, 6.0)
    assert row["reason"] == "stopped by successive halving at step 10"
    assert math.isnan(row["test_psnr"])


def test_a_strong_trial_is_promoted(manager: TrialManager) -> None:
    explore(manager)
    manager.next_trial()
    strong = manager.next_trial()
    assert strong
    assert manager.on_report(report(strong.number, 25.0, 25.0))


def test_a_trial_that_diverges_at_a_rung_is_not_pruned(manager: TrialManager) -> None:
    explore(manager)
    manager.next_trial()
    diverging = manager.next_trial()
    assert diverging
    assert manager.on_report(report(diverging.number, 5.0, math.nan))


def test_a_trial_with_a_record_that_the_journal_lacks_is_not_run_again(
    manager: TrialManager, open_ledger: Open, folder: StudyFolder
) -> None:
    """The driver dies between record and journal: the journal is reset to before."""
    first = manager.next_trial()
    assert first
    journal_before = folder.journal.read_bytes()
    complete(manager, first.number, 20.0)
    written = record(folder, trial_id(first.number))
    folder.journal.write_bytes(journal_before)
    again = TrialManager(folder, open_ledger(), RUNGS)
    second_trial = again.next_trial()
    assert second_trial
    assert second_trial.number == first.number + 1
    assert again.ledger.trials()[first.number].values == [20.0]
    assert record(folder, trial_id(first.number)) == written


def crash_next(manager: TrialManager) -> Assignment:
    """Starts the next trial, which reports once and whose process then dies."""
    assignment = manager.next_trial()
    assert assignment
    manager.on_report(report(assignment.number, 12.0))
    manager.on_failure(assignment.number, Failure("its process died", "a stack"))
    return assignment


def test_a_trial_whose_process_dies_is_retried_once_then_fails(manager: TrialManager) -> None:
    first, second = crash_next(manager), crash_next(manager)
    assert (first.number, first.attempt) == (second.number, second.attempt - 1) == (0, 1)
    written = record(manager.folder, "00000")
    assert (written["trial"]["state"], written["trial"]["reason"]) == ("failed", "its process died")
    assert written["trial"]["steps_done"] == 5
    assert [point["psnr"] for point in written["curve"]] == [12.0]
    assert manager.ledger.trials()[0].state == TrialState.FAIL
    assert manager.folder.error("00000").read_text().count("a stack") == 2
    second_trial = manager.next_trial()
    assert second_trial
    assert second_trial.number == 1


def test_attempts_are_counted_across_drivers(
    manager: TrialManager, open_ledger: Open, folder: StudyFolder
) -> None:
    crash_next(manager)
    again = TrialManager(folder, open_ledger(), RUNGS)
    assert crash_next(again).attempt == 2
    assert record(folder, "00000")["trial"]["state"] == "failed"


def test_losing_a_node_does_not_count_as_a_failure_of_its_trials(manager: TrialManager) -> None:
    for _ in range(5):
        assignment = manager.next_trial()
        assert assignment
        assert assignment.number == 0
        manager.on_failure(0, Failure("its node was lost", node_lost=True))
    assert not manager.folder.records()


def test_the_failure_that_a_trial_reports_is_the_one_recorded(manager: TrialManager) -> None:
    for _ in range(2):
        assignment = manager.next_trial()
        assert assignment
        manager.on_report(Message(assignment.number, "here", "", failure=Failure("ValueError: no")))
        manager.on_failure(assignment.number, Failure("its process died"))
    second_trial = manager.next_trial()
    assert second_trial
    complete(manager, second_trial.number, 20.0)  # so it is not the machine that is broken
    assert record(manager.folder, "00000")["trial"]["reason"] == "ValueError: no"


def test_a_full_disk_stops_the_launch_and_fails_no_trial(
    manager: TrialManager, open_ledger: Open, folder: StudyFolder
) -> None:
    assignment = manager.next_trial()
    assert assignment
    full = Failure("no space", disk_full=True)
    manager.on_report(Message(assignment.number, "here", "", failure=full))
    manager.on_failure(assignment.number, Failure(""))
    assert manager.stop.reason is StopReason.DISK_FULL
    assert manager.next_trial() is None
    again = TrialManager(folder, open_ledger(), RUNGS).next_trial()
    assert again == assignment


def test_a_disk_that_fills_up_during_a_write_stops_the_launch(
    manager: TrialManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    assignment = manager.next_trial()
    assert assignment

    def fail(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(StudyFolder, "append", fail)
    complete(manager, assignment.number, 20.0)
    assert manager.stop.reason is StopReason.DISK_FULL
    manager.stop.request(StopReason.REQUESTED)
    assert manager.stop.reason is StopReason.DISK_FULL, "which Ctrl-C does not change"


def test_running_trials_are_queued_again_after_ray_failed(manager: TrialManager) -> None:
    started = [manager.next_trial() for _ in range(2)]
    manager.requeue_running()
    assert not manager.running
    assert [manager.next_trial() for _ in range(2)] == started


def test_each_notice_is_drained_once(manager: TrialManager) -> None:
    crash_next(manager)
    expected = ["trial 0 failed and will be retried: its process died"]
    assert manager.drain_notices() == expected
    assert manager.drain_notices() == []


def test_a_stopped_launch_leaves_running_trials_to_the_next(
    manager: TrialManager, open_ledger: Open, folder: StudyFolder
) -> None:
    assignment = manager.next_trial()
    assert assignment
    manager.stop.request(StopReason.REQUESTED)
    manager.on_failure(assignment.number, Failure("its process died"))
    assert manager.next_trial() is None
    assert not folder.records()
    assert TrialManager(folder, open_ledger(), RUNGS).next_trial() == assignment


def test_an_ended_trial_stays_as_it_is_when_its_process_dies(manager: TrialManager) -> None:
    assignment = manager.next_trial()
    assert assignment
    complete(manager, assignment.number, 20.0)
    manager.on_failure(assignment.number, Failure("its process died"))
    assert record(manager.folder, trial_id(assignment.number))["trial"]["state"] == "completed"


def test_tables_have_a_row_for_each_trial(manager: TrialManager) -> None:
    explore(manager)
    manager.folder.write_tables()
    trials = manager.folder.read_trials()
    assert list(trials["psnr"]) == [10.0, 15.0, 20.0]
    assert list(trials["phase"].unique()) == ["explore"]
    assert (trials["sampling.far"] > trials["sampling.near"]).all()
    assert len(manager.folder.read_curves()) == 3 * 18


def test_a_record_that_is_still_being_written_is_not_read(manager: TrialManager) -> None:
    explore(manager)
    seen = []

    def write(beside: Path) -> None:
        beside.write_text('{"trial": ')
        seen.append(len(manager.folder.records()))
        seen.append(len(manager.folder.set_aside_damaged_records()))
        beside.write_bytes(manager.folder.record_file(trial_id(0)).read_bytes())

    replace_atomically(manager.folder.record_file(trial_id(0)), write)
    assert seen == [3, 0]


def test_it_is_finished_when_every_planned_trial_has_ended(manager: TrialManager) -> None:
    while assignment := manager.next_trial():
        assert not manager.is_finished()
        complete(manager, assignment.number, 20.0)
    assert manager.is_finished()
