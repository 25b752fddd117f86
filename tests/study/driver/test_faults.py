"""Trials that raise, hang, die or need too much memory, in one real sweep."""

from __future__ import annotations

import errno
import re
from pathlib import Path
from typing import Any

import pytest

from study.protocol.failures import diagnose_death, diagnose_exception
from study.records.study_folder import StudyFolder
from tests.study.sweeps import TINY, end_of, hooks, start
from tests.study.trials import record

STEPS = 120


@pytest.fixture(scope="module")
def folder(scene_file: Path, tmp_path_factory: pytest.TempPathFactory) -> StudyFolder:
    """Seven trials: see hooks/sitecustomize.py for what happens to each."""
    folder = StudyFolder(tmp_path_factory.mktemp("faults") / "faults")
    new = [
        "--scene",
        str(scene_file),
        "--explore=7",
        "--optimize=0",
        "--replicates=0",
        f"--steps={STEPS}",
    ]
    place = ["--studies", str(folder.path.parent), "--name", folder.name]
    options = [*place, "--patience=10", *new, *TINY]
    faults = hooks(FAULTS="1")
    status, output = end_of(start(*options, cwd=folder.path.parent, environment=faults))
    assert status == 0, output
    assert "Traceback" not in output
    return folder


def trial(folder: StudyFolder, name: str) -> dict[str, Any]:
    return dict(record(folder, name)["trial"])


def attempts(folder: StudyFolder, name: str) -> int:
    return folder.log(name).read_text().count("=== attempt")


SIZE = "64 rays x 8 samples"

pytestmark = pytest.mark.slow


def test_a_trial_that_raises_is_retried_and_recorded_with_its_traceback(
    folder: StudyFolder,
) -> None:
    row = trial(folder, "00000")
    assert (row["state"], row["reason"]) == ("failed", "ValueError: a fault of its own")
    assert attempts(folder, "00000") == 2
    errors = folder.error("00000").read_text()
    assert errors.count("Traceback (most recent call last)") == 2
    assert "attempt 2: ValueError" in errors


def test_a_trial_that_hangs_is_ended_with_its_stacks(folder: StudyFolder) -> None:
    row = trial(folder, "00001")
    assert (row["state"], row["reason"]) == (
        "failed",
        "hung: no step in time; 00001.log holds its stacks",
    )
    assert "in _hang" in folder.log("00001").read_text()
    assert "in _hang" in folder.error("00001").read_text()
    assert attempts(folder, "00001") == 2


def test_a_worker_that_is_killed_costs_no_more_than_its_last_steps(folder: StudyFolder) -> None:
    assert trial(folder, "00002")["state"] == "completed"
    assert attempts(folder, "00002") == 2
    assert "resumes after step" in folder.log("00002").read_text()
    steps = [point["step"] for point in record(folder, "00002")["curve"]]
    assert steps == list(range(STEPS // 5, STEPS + 1, STEPS // 5))


def test_a_trial_out_of_memory_is_recorded_with_its_size(folder: StudyFolder) -> None:
    row = trial(folder, "00003")
    assert row["state"] == "failed"
    width = row["field.width"]
    size = f"64 rays x 8 samples through 2 layers of {width}"
    assert row["reason"].startswith(f"out of memory with {size}")


def test_a_trial_of_nan_collapses_and_ends(folder: StudyFolder) -> None:
    row = trial(folder, "00006")
    assert row["state"] == "collapsed"
    assert re.match(r"diverged: the (loss|held-out PSNR) is nan at step [56]0", row["reason"])
    assert 50 <= row["steps_done"] < STEPS
    assert attempts(folder, "00006") == 1


def test_a_fault_that_passes_costs_no_trial(folder: StudyFolder) -> None:
    for name in ("00004", "00005"):
        row = trial(folder, name)
        assert (row["state"], row["steps_done"]) == ("completed", STEPS)
    assert (attempts(folder, "00004"), attempts(folder, "00005")) == (2, 1)


def test_a_study_of_which_nothing_but_failures_is_left_is_an_error(
    scene_file: Path, tmp_path: Path
) -> None:
    new = ["--explore=1", "--optimize=0", "--replicates=0", f"--steps={STEPS}", *TINY]
    options = ["--name=none", "--retries=0", "--scene", str(scene_file), *new]
    status, output = end_of(start(*options, cwd=tmp_path, environment=hooks(FAULTS="1")))
    assert status == 2, output
    assert "error: every trial failed, the first for this reason: ValueError: a fault" in output
    assert (tmp_path / "studies" / "none" / "report.html").exists()


@pytest.mark.parametrize(
    ("error", "out_of_memory"),
    [
        (MemoryError(), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED in cublasCreate(handle)"), True),
        (ValueError("no"), False),
    ],
)
def test_errors_of_memory_are_known(error: Exception, out_of_memory: bool) -> None:
    reason = diagnose_exception(error, SIZE).reason
    assert reason.startswith("out of memory") == out_of_memory


def test_a_full_disk_is_not_the_trials_failure() -> None:
    failure = diagnose_exception(OSError(errno.ENOSPC, "No space left on device"), SIZE)
    assert failure.disk_full
    assert not failure.node_lost


def test_only_the_latest_attempt_counts_as_hung(tmp_path: Path) -> None:
    log = tmp_path / "0.log"
    assert diagnose_death(log, "", False, SIZE).reason == "its process died"
    log.write_text("=== attempt 1\nTimeout (0:00:12)!\nThread\n=== attempt 2\nstep 5\n")
    assert diagnose_death(log, "", False, SIZE).reason == "its process died"
    assert diagnose_death(log, "", True, SIZE).reason.startswith("out of memory with")
    log.write_text("=== attempt 1\nTimeout (0:00:12)!\nThread\n")
    assert diagnose_death(log, "", False, SIZE).reason.startswith("hung")
