"""The lock of a trial's folder, in which two attempts never run a program at the same time."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from study.trainers.program.failure import ProgramFailed

_LOCK = ".attempt.lock"
_POLL_SECONDS = 0.05


@contextmanager
def hold_folder(folder: Path, seconds: float) -> Iterator[int]:
    """Waits until no earlier attempt's program or watchdog is left; yields the lock's descriptor.

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
        yield descriptor
    finally:
        os.close(descriptor)


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
