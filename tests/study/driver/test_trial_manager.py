"""What is written down, in which order, and what a later driver makes of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
from optuna.trial import TrialState

from nerf.common.files import replace_atomically
from study.driver.trial_manager import Bookkeeper
from study.ledger.ledger import Ledger
from study.protocol.messages import Assignment, Fault, Message, Outcome
from study.records.schema import trial_id
from study.records.study_folder import StudyFolder
from tests.study.conftest import curve, record

Open = Callable[[], Ledger]
RUNGS = (10, 30)


@pytest.fixture
def books(open_ledger: Open, folder: StudyFolder) -> Bookkeeper:
    return Bookkeeper(folder, open_ledger(), RUNGS)


def says(number: int, *psnrs: float, outcome: Outcome | None = None) -> Message:
    return Message(number, "here", "a CPU", curve(*psnrs), outcome)


def complete(books: Bookkeeper, number: int, psnr: float) -> None:
    """Lets a trial reach its full budget of 90 steps, 18 evaluations of 5 steps each."""
    outcome = Outcome("completed", steps_done=90, psnr=psnr, host="here", device="a CPU")
    assert books.hear(says(number, *[psnr] * 18, outcome=outcome))


def explore(books: Bookkeeper) -> None:
    for psnr in (10.0, 15.0, 20.0):
        assignment = books.next()
        assert assignment
        complete(books, assignment.number, psnr)


def test_explored_trials_are_never_stopped(books: Bookkeeper) -> None:
    for psnr in (20.0, 15.0, 10.0):
        assignment = books.next()
        assert assignment
        assert books.hear(says(assignment.number, psnr, psnr))


def test_a_weak_trial_is_stopped_at_a_rung_and_is_pruned_everywhere(books: Bookkeeper) -> None:
    explore(books)
    baseline, weak = books.next(), books.next()
    assert baseline
    assert weak
    assert books.hear(says(baseline.number, 5.0, 5.0)), "the baseline is never stopped"
    assert books.hear(says(weak.number, 5.0)), "no rung yet"
    assert not books.hear(says(weak.number, 5.0, 6.0))
    trial = books.ledger.trials()[weak.number]
    assert trial.state == TrialState.PRUNED
    row = record(books.folder, trial_id(weak.number))["trial"]
    assert (row["state"], row["steps_done"], row["psnr"]) == ("pruned", 10, 6.0)
    assert row["reason"] == "stopped by successive halving at step 10"
    assert math.isnan(row["test_psnr"])


def test_a_strong_trial_goes_on(books: Bookkeeper) -> None:
    explore(books)
    books.next()
    strong = books.next()
    assert strong
    assert books.hear(says(strong.number, 25.0, 25.0))


def test_a_trial_that_diverges_at_a_rung_is_left_to_say_so(books: Bookkeeper) -> None:
    explore(books)
    books.next()
    sick = books.next()
    assert sick
    assert books.hear(says(sick.number, 5.0, math.nan))


def test_a_record_that_was_not_told_is_told_and_not_run_again(
    books: Bookkeeper, open_ledger: Open, folder: StudyFolder
) -> None:
    """The driver dies between record and ledger: the journal is put back to before."""
    first = books.next()
    assert first
    untold = folder.journal.read_bytes()
    complete(books, first.number, 20.0)
    kept = record(folder, trial_id(first.number))
    folder.journal.write_bytes(untold)
    again = Bookkeeper(folder, open_ledger(), RUNGS)
    following = again.next()
    assert following
    assert following.number == first.number + 1
    assert again.ledger.trials()[first.number].values == [20.0]
    assert record(folder, trial_id(first.number)) == kept


def break_off(books: Bookkeeper) -> Assignment:
    """The next trial, which reports once and whose process then dies."""
    assignment = books.next()
    assert assignment
    books.hear(says(assignment.number, 12.0))
    books.let_go(assignment.number, Fault("its process died", "a stack"))
    return assignment


def test_a_process_that_died_is_tried_again_then_a_failed_trial(books: Bookkeeper) -> None:
    first, second = break_off(books), break_off(books)
    assert (first.number, first.attempt) == (second.number, second.attempt - 1) == (0, 1)
    kept = record(books.folder, "00000")
    assert (kept["trial"]["state"], kept["trial"]["reason"]) == ("failed", "its process died")
    assert kept["trial"]["steps_done"] == 5
    assert [point["psnr"] for point in kept["curve"]] == [12.0]
    assert books.ledger.trials()[0].state == TrialState.FAIL
    assert books.folder.error("00000").read_text().count("a stack") == 2
    following = books.next()
    assert following
    assert following.number == 1


def test_attempts_are_counted_across_drivers(
    books: Bookkeeper, open_ledger: Open, folder: StudyFolder
) -> None:
    break_off(books)
    again = Bookkeeper(folder, open_ledger(), RUNGS)
    assert break_off(again).attempt == 2
    assert record(folder, "00000")["trial"]["state"] == "failed"


def test_a_lost_node_is_no_fault_of_its_trials(books: Bookkeeper) -> None:
    for _ in range(5):
        assignment = books.next()
        assert assignment
        assert assignment.number == 0
        books.let_go(0, Fault("its node was lost", node_lost=True))
    assert not books.folder.records()


def test_a_trial_names_its_own_fault(books: Bookkeeper) -> None:
    for _ in range(2):
        assignment = books.next()
        assert assignment
        books.hear(Message(assignment.number, "here", "", fault=Fault("ValueError: no")))
        books.let_go(assignment.number, Fault("its process died"))
    assert record(books.folder, "00000")["trial"]["reason"] == "ValueError: no"


def test_a_full_disk_ends_the_launch_and_no_trial(
    books: Bookkeeper, open_ledger: Open, folder: StudyFolder
) -> None:
    assignment = books.next()
    assert assignment
    books.hear(Message(assignment.number, "here", "", fault=Fault("no space", disk_full=True)))
    books.let_go(assignment.number, Fault(""))
    assert books.disk_full
    assert books.next() is None
    again = Bookkeeper(folder, open_ledger(), RUNGS).next()
    assert again == assignment


def test_a_launch_that_stops_leaves_what_runs_to_the_next(
    books: Bookkeeper, open_ledger: Open, folder: StudyFolder
) -> None:
    assignment = books.next()
    assert assignment
    books.stopping = True
    books.let_go(assignment.number, Fault("its process died"))
    assert books.next() is None
    assert not folder.records()
    assert Bookkeeper(folder, open_ledger(), RUNGS).next() == assignment


def test_a_trial_that_ended_is_not_lost_when_its_process_goes(books: Bookkeeper) -> None:
    assignment = books.next()
    assert assignment
    complete(books, assignment.number, 20.0)
    books.let_go(assignment.number, Fault("its process died"))
    assert record(books.folder, trial_id(assignment.number))["trial"]["state"] == "completed"


def test_tables_hold_a_row_a_trial(books: Bookkeeper) -> None:
    explore(books)
    books.folder.write_tables()
    trials = books.folder.read_trials()
    assert list(trials["psnr"]) == [10.0, 15.0, 20.0]
    assert list(trials["phase"].unique()) == ["explore"]
    assert (trials["sampling.far"] > trials["sampling.near"]).all()
    assert len(books.folder.read_curves()) == 3 * 18


def test_who_reads_along_never_sees_a_record_that_is_still_being_written(
    books: Bookkeeper,
) -> None:
    explore(books)
    seen = []

    def write(beside: Path) -> None:
        beside.write_text('{"trial": ')
        seen.append(len(books.folder.records()))
        seen.append(len(books.folder.set_damaged_aside()))
        beside.write_bytes(books.folder.record_file(trial_id(0)).read_bytes())

    replace_atomically(books.folder.record_file(trial_id(0)), write)
    assert seen == [3, 0]


def test_it_is_finished_when_every_planned_trial_has_ended(books: Bookkeeper) -> None:
    while assignment := books.next():
        assert not books.finished()
        complete(books, assignment.number, 20.0)
    assert books.finished()
