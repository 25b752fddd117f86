"""The process that runs a study for `Study.run`: started, followed, interrupted.

A process of its own, since Ray reads its environment only once in a process, signals can only be
handled in a main thread, and a second Ctrl-C ends the driver at once, which a notebook's kernel
must outlive.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from study.api.run_child import QUIET

_LAST_LINES_SECONDS = 2.0
"""Seconds to wait for the last output of a process that has exited."""

_ERROR = "error: "
"""Begins the line in which the command reports a mistake, on standard error."""


class DriverProcess:
    """`run_sweep.py` with these options, as a child of this process."""

    def __init__(self, arguments: Sequence[str], on_terminal: bool, is_quiet: bool = False) -> None:
        """Starts it.

        on_terminal: it writes to this process's standard output itself, to show a live view
        is_quiet: it prints no line for each trial
        """
        quiet = [QUIET] if is_quiet else []
        root = str(Path(__file__).parents[2])
        path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), root]))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "study.api.run_child", *quiet, *arguments],
            stdin=subprocess.PIPE,
            stdout=None if on_terminal else subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=os.environ | {"PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"},
            # Ctrl-C reaches it once, through `interrupt`, not through the terminal's group as well.
            start_new_session=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self.error = ""
        """The mistake that it reported, in one line."""
        self._readers = [
            threading.Thread(target=self._read, args=(stream, keep), daemon=True)
            for stream, keep in (
                (self._process.stdout, self._lines.put),
                (self._process.stderr, self._keep_error),
            )
            if stream
        ]
        for reader in self._readers:
            reader.start()

    @property
    def status(self) -> int | None:
        """Its exit status, negative where a signal ended it; None while it runs."""
        return self._process.poll()

    def next_line(self, seconds: float) -> str | None:
        """The next line that it prints, without the newline; None if none comes in time."""
        try:
            return self._lines.get(timeout=seconds)
        except queue.Empty:
            return None

    @property
    def has_ended(self) -> bool:
        """Whether it has exited and all its lines have been read."""
        if self.status is None:
            return False
        for reader in self._readers:  # Ray's own processes may hold a pipe open for a minute
            reader.join(_LAST_LINES_SECONDS)
        return self._lines.empty()

    def interrupt(self) -> None:
        """What Ctrl-C does: trials save their checkpoints; a second time, it ends at once."""
        if self.status is None:
            self._process.send_signal(signal.SIGINT)

    def _read(self, stream: IO[str], keep: Callable[[str], None]) -> None:
        for line in stream:
            keep(line.rstrip("\n"))

    def _keep_error(self, line: str) -> None:
        if line.startswith(_ERROR):
            self.error = line.removeprefix(_ERROR)
        elif line.strip():
            self._lines.put(line)
