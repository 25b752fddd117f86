"""Trials that fail one after another before their first evaluation: the launch stops, not they."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from nerf.config.schema import NerfConfig
from study.driver.launch_stop import StopReason
from study.driver.trial_manager import TrialManager
from study.ledger.ledger import Ledger
from study.protocol.failures import diagnose_exception
from study.protocol.messages import Failure, Message
from study.records.schema import trial_id
from study.records.study_folder import StudyFolder
from study.trainers.nerf_size import describe_size
from tests.study.trials import complete_trials, curve, record

BROKEN = Failure("RuntimeError: CUDA error: unknown error", device_failed=True, place="a, GPU 0")
OWN = Failure("ValueError: no", place="a")
BIG = Failure("out of memory", out_of_memory=True, place="a, GPU 0")


@pytest.fixture
def manager(open_ledger: Callable[[], Ledger], folder: StudyFolder) -> TrialManager:
    return TrialManager(folder, open_ledger(), rungs=())


def fail_next(manager: TrialManager, failure: Failure, attempts: int = 1) -> int:
    """Starts the next trial, which fails so often before its first evaluation."""
    for _ in range(attempts):
        assignment = manager.next_trial()
        assert assignment
        manager.on_report(Message(assignment.number, "a", "", failure=failure))
        manager.on_failure(assignment.number, Failure("its process died"))
    return assignment.number


@pytest.mark.parametrize("failure", [BROKEN, OWN])
def test_the_same_failure_of_three_trials_stops_the_launch_and_costs_none(
    manager: TrialManager,
    folder: StudyFolder,
    open_ledger: Callable[[], Ledger],
    failure: Failure,
) -> None:
    assert [fail_next(manager, failure, attempts=2) for _ in range(2)] == [0, 1]
    assert manager.stop.reason is None
    assert fail_next(manager, failure) == 2
    assert manager.stop.reason is StopReason.SAME_FAILURE
    assert manager.stop.error == (
        f"3 trials in a row failed on {failure.place} before their first evaluation "
        f"({failure.reason}), and are still to be run (tracebacks: {folder.errors})"
    )
    assert manager.next_trial() is None
    assert not folder.records()
    again = TrialManager(folder, open_ledger(), rungs=())
    assert complete_trials(again, 3) == [0, 1, 2]


def test_once_another_trial_is_evaluated_there_they_were_the_trials_own(
    manager: TrialManager, folder: StudyFolder
) -> None:
    fail_next(manager, BROKEN, attempts=2)
    healthy = manager.next_trial()
    assert healthy
    manager.on_report(Message(healthy.number, "a", "", curve(12.0), gpu="1"))
    assert not folder.records(), "another GPU says nothing of this one"
    manager.on_report(Message(healthy.number, "a", "", curve(12.0, 13.0), gpu="0"))
    assert record(folder, trial_id(0))["trial"]["state"] == "failed"


def test_trials_that_need_too_much_memory_fail(manager: TrialManager, folder: StudyFolder) -> None:
    for _ in range(3):
        fail_next(manager, BIG, attempts=2)
    assert manager.stop.reason is None
    assert len(folder.records()) == 3


def test_failures_that_differ_stop_nothing(manager: TrialManager, folder: StudyFolder) -> None:
    for number in range(7):
        fail_next(manager, Failure(f"ValueError: {number}", place="a"), attempts=2)
    assert manager.next_trial() is None
    assert manager.stop.reason is None
    assert len(folder.records()) == 7


def test_the_last_trials_fail_but_not_for_a_broken_gpu(manager: TrialManager) -> None:
    complete_trials(manager, 6)
    fail_next(manager, BROKEN, attempts=2)
    assert manager.next_trial() is None
    assert manager.stop.reason is StopReason.SAME_FAILURE
    assert not manager.is_finished()
    assert "CUDA error" in manager.stop.error


def test_a_trial_that_fails_the_same_in_the_next_launch_is_recorded(
    manager: TrialManager, folder: StudyFolder, open_ledger: Callable[[], Ledger]
) -> None:
    for attempts in (2, 2, 1):
        fail_next(manager, OWN, attempts)
    again = TrialManager(folder, open_ledger(), rungs=())
    fail_next(again, OWN)
    assert record(folder, trial_id(0))["trial"]["reason"] == OWN.reason


def test_a_node_without_the_study_folder_stops_the_launch(
    manager: TrialManager, folder: StudyFolder
) -> None:
    fail_next(manager, Failure("/studies/x is not the study's folder on b", folder_missing=True))
    assert manager.stop.error == "/studies/x is not the study's folder on b"
    assert not folder.records()


@pytest.mark.parametrize(
    ("error", "device_failed", "out_of_memory"),
    [
        (RuntimeError("CUDA error: an illegal memory access was encountered"), True, False),
        (AssertionError("Torch not compiled with CUDA enabled"), True, False),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), True, False),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), False, True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"), True, True),
        (ValueError("a fault of its own"), False, False),
    ],
)
def test_errors_of_the_device_are_known(
    error: Exception, device_failed: bool, out_of_memory: bool
) -> None:
    failure = diagnose_exception(error, describe_size(NerfConfig()))
    assert (failure.device_failed, failure.out_of_memory) == (device_failed, out_of_memory)


def test_an_error_during_another_s_handling_has_both_causes() -> None:
    """As where memory runs out while a CUDA graph is captured: ending the capture fails, too."""
    try:
        try:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        except RuntimeError:
            raise RuntimeError("CUDA error: operation failed due to a previous error") from None
    except RuntimeError as error:
        failure = diagnose_exception(error, describe_size(NerfConfig()))
    assert failure.reason.startswith("out of memory with")
    assert failure.device_failed


def test_torch_s_own_error_is_known() -> None:
    torch = pytest.importorskip("torch")
    assert diagnose_exception(
        torch.AcceleratorError("no"), describe_size(NerfConfig())
    ).device_failed


def test_logs_are_kept_of_attempts_that_stopped_a_launch(
    manager: TrialManager, folder: StudyFolder
) -> None:
    for attempts in (2, 2, 1):
        fail_next(manager, BROKEN, attempts)
    files = sorted(Path(folder.path, "errors").iterdir())
    assert [file.read_text().count("CUDA error") for file in files] == [2, 2, 1]


def test_trials_that_fail_with_their_batch_count_as_one(manager: TrialManager) -> None:
    for batch in ("one", "another"):
        fail_next(manager, replace(BROKEN, batch=batch))
        fail_next(manager, replace(BROKEN, batch=batch))
    assert manager.stop.reason is None
    fail_next(manager, replace(BROKEN, batch="a third"))
    assert manager.stop.error.startswith("3 batches of trials in a row failed on a, GPU 0 before")
