"""A trial's log file, and the timeout that ends a trial which hangs."""

from __future__ import annotations

import faulthandler
import os
import platform
import time
from datetime import UTC, datetime
from pathlib import Path

from study.protocol.failures import ATTEMPT

# Seconds between two resets of the timeout: at each of a thousand steps a second they would cost.
_RESET_INTERVAL = 1.0


class TrialLog:
    """Writes one line for each event. Use it as a context, and call `reset_timeout` at each step.

    After `patience` seconds without a call, faulthandler's own thread writes all stacks into the
    log and ends the process. Nothing in Python could: a loop that hangs in C holds its lock.
    """

    def __init__(self, path: Path, attempt: int, patience: float) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", buffering=1, encoding="utf-8")
        self._patience = patience
        self._reset_at = 0.0
        self._file.write(f"{ATTEMPT} {attempt} on {platform.node()}, process {os.getpid()}\n")

    def __enter__(self) -> TrialLog:
        self.reset_timeout()
        return self

    def __exit__(self, *_: object) -> None:
        faulthandler.cancel_dump_traceback_later()
        self._file.close()

    def reset_timeout(self) -> None:
        """Starts the `patience` again, as the trial has made a step."""
        now = time.monotonic()
        if now > self._reset_at + _RESET_INTERVAL or not self._reset_at:
            faulthandler.dump_traceback_later(self._patience, exit=True, file=self._file)
            self._reset_at = now

    def write(self, text: str) -> None:
        self._file.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {text}\n")
