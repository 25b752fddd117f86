"""The lock that keeps two processes from running one study: `driver.lock` in its folder.

The operating system holds it (flock on Unix) and frees it when its process dies, however that
happens. A lock file may be emptied by whoever opens it, so who holds the lock stands in a file of
its own beside it.
"""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass

import psutil
from filelock import BaseFileLock, FileLock, Timeout

from nerf.common.errors import InputError
from nerf.common.files import write_atomically
from study.records.study_folder import StudyFolder

_LOCK = "driver.lock"
_HOLDER = "driver.lock.holder"


@dataclass(frozen=True)
class Holder:
    """The process that took a study's lock last; `str` of it reads `process 12 on host`."""

    process: int
    host: str

    def __str__(self) -> str:
        return f"process {self.process} on {self.host}"

    def is_dead(self) -> bool:
        """Whether it has certainly ended: on another machine nobody can tell from here."""
        return self.host == platform.node() and not psutil.pid_exists(self.process)


def lock(folder: StudyFolder) -> BaseFileLock:
    """Takes the study's lock, held until `release` or until this process dies.

    Raises `InputError` naming the process that holds it.
    """
    folder.path.mkdir(parents=True, exist_ok=True)
    held = FileLock(folder.path / _LOCK)
    try:
        held.acquire(blocking=False)
    except Timeout:
        raise InputError(
            f"study {folder.name} is being run by {holder(folder) or 'another process'}; wait "
            "until it ends, or give another --name"
        ) from None
    this_process = Holder(os.getpid(), platform.node())
    write_atomically(folder.path / _HOLDER, str(this_process).encode())
    return held


def holder(folder: StudyFolder) -> Holder | None:
    """The process that took the lock last, which may have ended since; None where none has."""
    for name in (_HOLDER, _LOCK):  # earlier versions wrote it into the lock file itself
        try:
            text = (folder.path / name).read_text()
        except (OSError, ValueError):
            continue
        if written := re.fullmatch(r"process (\d+) on (.+)", text.strip()):
            return Holder(int(written[1]), written[2])
    return None
