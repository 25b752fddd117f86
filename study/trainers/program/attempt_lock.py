"""A trial's folder, in which the programs of two attempts never run at the same time."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from study.trainers.program.failure import ProgramFailed

FOLDER_VARIABLE = "NERF_STUDY_TRIAL_FOLDER"
"""In the environment of a program and of what it starts: the folder."""

_LOCK = ".attempt.lock"
_POLL_SECONDS, _KILL_SECONDS = 0.05, 10.0


@contextmanager
def hold_folder(folder: Path, seconds: float) -> Iterator[int]:
    """Waits until the watchdog of an earlier attempt has ended; yields the lock's descriptor.

    A watchdog that inherits it holds the lock until its program has ended, also where this process
    dies. A file system without locks does without. Raises `ProgramFailed` after `seconds`.
    """
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        give_up_at = time.monotonic() + seconds
        while not _try_to_lock(descriptor):
            if time.monotonic() > give_up_at:
                raise ProgramFailed(
                    "another process is still training this trial in the same folder"
                )
            time.sleep(_POLL_SECONDS)
        _kill_orphans(str(folder))
        yield descriptor
    finally:
        os.close(descriptor)


def _kill_orphans(folder: str) -> None:
    """Kills what an earlier attempt's program has started, where its watchdog was killed first."""
    give_up_at = time.monotonic() + _KILL_SECONDS
    while (orphans := list(_find_orphans(folder))) and time.monotonic() < give_up_at:
        for orphan in orphans:
            with suppress(psutil.Error):
                orphan.kill()
        psutil.wait_procs(orphans, timeout=_POLL_SECONDS)


def _find_orphans(folder: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):  # of another user, or ended
            if process.environ().get(FOLDER_VARIABLE) == folder:
                yield process


def _try_to_lock(descriptor: int) -> bool:
    import fcntl  # which Windows lacks

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL):
            raise
    return True
