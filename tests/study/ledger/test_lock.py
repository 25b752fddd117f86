"""The lock on a study folder, and who holds it."""

from __future__ import annotations

import fcntl
import os
import platform
import subprocess
import sys

import pytest

from nerf.common.errors import InputError
from study.ledger.lock import Holder, acquire_lock, holder
from study.records.study_folder import StudyFolder

THIS_PROCESS = Holder(os.getpid(), platform.node())


def test_a_held_lock_is_refused_naming_its_holder_until_it_is_released(folder: StudyFolder) -> None:
    held = acquire_lock(folder)
    with pytest.raises(InputError, match=f"study a study is being run by {THIS_PROCESS}; wait"):
        acquire_lock(folder)
    held.release()
    acquire_lock(folder).release()


def test_a_driver_of_an_earlier_version_excludes_this_one(folder: StudyFolder) -> None:
    """It holds a flock on driver.lock and writes there who it is."""
    folder.path.mkdir()
    with (folder.path / "driver.lock").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.write(f"process 12 on {platform.node()}")
        file.flush()
        with pytest.raises(InputError, match="is being run by process 12 on"):
            acquire_lock(folder)
    acquire_lock(folder).release()


def test_this_version_excludes_a_driver_of_an_earlier_one(folder: StudyFolder) -> None:
    held = acquire_lock(folder)
    with (folder.path / "driver.lock").open("a+") as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    held.release()


def test_the_lock_of_a_killed_process_is_free(folder: StudyFolder) -> None:
    folder.path.mkdir()
    code = "import os, sys; from pathlib import Path; from study.ledger.lock import acquire_lock; "
    code += "from study.records.study_folder import StudyFolder; "
    code += "held = acquire_lock(StudyFolder(Path(sys.argv[1]))); os.kill(os.getpid(), 9)"
    killed = subprocess.run([sys.executable, "-c", code, str(folder.path)])
    assert killed.returncode == -9
    last = holder(folder)
    assert last
    assert last.is_dead()
    acquire_lock(folder).release()
    assert holder(folder) == THIS_PROCESS


def test_a_later_process_of_the_same_number_is_not_the_holder(folder: StudyFolder) -> None:
    acquire_lock(folder).release()
    last = holder(folder)
    assert last
    assert not last.is_dead()
    os.utime(folder.path / "driver.lock.holder", (0, 0))  # before this process started
    earlier = holder(folder)
    assert earlier
    assert earlier.is_dead()


def test_a_folder_that_was_never_run_has_no_holder(folder: StudyFolder) -> None:
    assert holder(folder) is None


def test_a_process_of_another_machine_is_not_known_to_be_dead() -> None:
    assert not Holder(THIS_PROCESS.process, "another host").is_dead()
    assert not THIS_PROCESS.is_dead()
