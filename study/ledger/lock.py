"""The lock that prevents two processes from running one study: `driver.lock` in its folder.

It is a lock of the operating system (flock on Unix), which frees it when the process dies. Opening
a lock file may empty it, so the name of the holder is in a second file beside it.
"""

from __future__ import annotations

import math
import os
import platform
import re
from dataclasses import dataclass, field

import psutil
from filelock import BaseFileLock, FileLock, Timeout

from nerf.common.errors import InputError
from nerf.common.files import write_atomically
from study.records.study_folder import StudyFolder

_LOCK = "driver.lock"
_HOLDER = "driver.lock.holder"
_CLOCK_ERROR = 5.0  # seconds, of the time at which a process started


@dataclass(frozen=True)
class Holder:
    """The process that took a study's lock last; as a string `process 12 on host`."""

    process: int
    host: str
    since: float = field(default=math.inf, compare=False)
    """When it said so, in seconds since 1970."""

    def __str__(self) -> str:
        return f"process {self.process} on {self.host}"

    def is_dead(self) -> bool:
        """Whether it has certainly ended; False on another machine, where that cannot be seen.

        A process of the same number that started later is another one, as after a reboot.
        """
        if self.host != platform.node():
            return False
        try:
            started: float = psutil.Process(self.process).create_time()
        except psutil.NoSuchProcess:
            return True
        return started > self.since + _CLOCK_ERROR


def acquire_lock(folder: StudyFolder) -> BaseFileLock:
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
            file = folder.path / name
            text, since = file.read_text(encoding="utf-8"), file.stat().st_mtime
        except (OSError, ValueError):
            continue
        if written := re.fullmatch(r"process (\d+) on (.+)", text.strip()):
            return Holder(int(written[1]), written[2], since)
    return None
