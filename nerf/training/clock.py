"""Training time: a clock that is stopped during evaluations and checkpoints."""

from __future__ import annotations

import time


class Clock:
    """Counts seconds between `start` and `stop`; the members of a batch share one."""

    def __init__(self) -> None:
        self._total = 0.0
        self._started: float | None = None

    def start(self) -> None:
        """Starts to count, unless it does already."""
        if self._started is None:
            self._started = time.perf_counter()

    def stop(self) -> None:
        self._total = self.seconds()
        self._started = None

    def seconds(self) -> float:
        """The seconds counted so far."""
        running = 0.0 if self._started is None else time.perf_counter() - self._started
        return self._total + running
