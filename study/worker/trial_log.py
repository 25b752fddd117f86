"""A trial's log file, and the watch that ends a trial which makes no step for too long."""

from __future__ import annotations

import faulthandler
import os
import platform
import time
from datetime import UTC, datetime
from pathlib import Path

from study.protocol.failures import ATTEMPT

_REARMED = 1.0  # seconds; a watch re-armed at each of a thousand steps a second would cost some


class TrialLog:
    """Writes a line an event. Use it as a context: within, the process must call `alive` often.

    If it does not for `patience` seconds, its stacks are written into the log and the process ends:
    nothing else ends a loop that hangs outside Python.
    """

    def __init__(self, path: Path, attempt: int, patience: float) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", buffering=1)
        self._patience = patience
        self._armed = 0.0
        self._file.write(f"{ATTEMPT} {attempt} on {platform.node()}, process {os.getpid()}\n")

    def __enter__(self) -> TrialLog:
        self.alive()
        return self

    def __exit__(self, *_: object) -> None:
        faulthandler.cancel_dump_traceback_later()
        self._file.close()

    def alive(self) -> None:
        """The trial has made a step."""
        now = time.monotonic()
        if now > self._armed + _REARMED or not self._armed:
            faulthandler.dump_traceback_later(self._patience, exit=True, file=self._file)
            self._armed = now

    def say(self, text: str) -> None:
        self._file.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {text}\n")
