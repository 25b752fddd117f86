"""A running program: its standard error line by line, its memory, and how it ended."""

from __future__ import annotations

import math
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

import psutil

from study.trainers.program.output import as_text

_WATCHDOG = Path(__file__).with_name("watchdog.py")

_MAX_LINE = 2**16
"""Bytes of standard error without a newline after which a line ends all the same."""
_MAX_QUEUED = 4096
"""Lines that wait to be handled; a program that prints faster has to wait."""

_MEMORY_SECONDS, _END_SECONDS = 1.0, 10.0

STOP_GRACE, END_GRACE = 4, 1
"""Seconds from SIGTERM to SIGKILL: for a trial that is to be resumed, and for any other."""


@dataclass(frozen=True)
class ProgramEnd:
    """How a program ended."""

    word: str
    """exited, killed, not-started, or lost: its watchdog was killed."""
    detail: str = ""

    @property
    def is_well(self) -> bool:
        return (self.word, self.detail) == ("exited", "0")

    @property
    def was_killed(self) -> bool:
        """Whether by SIGKILL, as the kernel does for want of memory; a shell then says 137."""
        return (self.word, self.detail) in (("killed", "9"), ("exited", "137"))

    def __str__(self) -> str:
        match self.word:
            case "exited":
                return f"the program exited with status {self.detail}"
            case "killed":
                return f"the program was killed by {_signal_name(int(self.detail))}"
            case "not-started":
                return f"the program could not be started: {self.detail}"
        return "the program's watchdog was killed"


class RunningProgram:
    """A program with its watchdog. Use it as a context: on exit none of its processes is left."""

    def __init__(
        self,
        words: Sequence[str],
        workdir: str,
        environment: Mapping[str, str],
        output: int,
        lock: int,
    ) -> None:
        """output: descriptor for its standard output; lock: one that its watchdog holds"""
        self.last_sign = time.monotonic()
        """When the program last wrote something, as far as is known here."""
        self.end = ProgramEnd("lost")
        """How it ended, once `has_ended`."""
        self._peak = math.nan
        self._looked_at = 0.0
        self._has_watchdog_ended = threading.Event()
        self._lines: queue.Queue[str | None] = queue.Queue(_MAX_QUEUED)
        status, for_watchdog = os.pipe()
        try:
            self._watchdog = subprocess.Popen(
                [sys.executable, "-IS", str(_WATCHDOG), str(for_watchdog), workdir, *words],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.PIPE,
                env=dict(environment),
                pass_fds=[for_watchdog, lock],
                start_new_session=True,
            )
        finally:
            os.close(for_watchdog)
        assert self._watchdog.stderr
        readers = (
            threading.Thread(target=self._read, args=[self._watchdog.stderr], daemon=True),
            threading.Thread(target=self._await_end, args=[status], daemon=True),
        )
        self._reading = len(readers)
        for reader in readers:
            reader.start()

    def __enter__(self) -> RunningProgram:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        if not self.has_ended:
            self.request_end(END_GRACE)
        while not self.has_ended:
            for _ in self.error_lines(1.0):  # a program that has to wait for its output to be read
                pass
        assert self._watchdog.stdin
        with suppress(OSError):
            self._watchdog.stdin.close()

    @property
    def has_ended(self) -> bool:
        """Whether it has, and all of its standard error was read."""
        return not self._reading and self._lines.empty()

    def error_lines(self, seconds: float) -> Iterator[str]:
        """Lines of its standard error, as they come, until it has ended or for `seconds`."""
        deadline = time.monotonic() + seconds
        while not self.has_ended:
            try:
                line = self._lines.get(timeout=max(deadline - time.monotonic(), 0.001))
            except queue.Empty:
                return
            if line is None:
                self._reading -= 1
            else:
                yield line
            if time.monotonic() > deadline:
                return

    def look_at_memory(self) -> None:
        """Adds up the memory of its processes, at most once a second."""
        if time.monotonic() < self._looked_at + _MEMORY_SECONDS and not math.isnan(self._peak):
            return
        self._looked_at = time.monotonic()
        total = 0
        with suppress(psutil.Error):  # it has ended
            for process in psutil.Process(self._watchdog.pid).children(recursive=True):
                with suppress(psutil.Error):
                    total += process.memory_info().rss
        if total:
            self._note_memory(total)

    def peak_memory(self) -> float:
        """The most that its processes were seen to have together, in MiB; call it once it wrote.

        Of a program that ended too soon to be looked at, the most that any one of them had.
        """
        self.look_at_memory()
        if math.isnan(self._peak) and not self._has_watchdog_ended.wait(_END_SECONDS):
            self._peak = 0.0  # its processes cannot be seen
        return self._peak or math.nan

    def _note_memory(self, seen: int) -> None:
        peak = seen / 2**20
        self._peak = peak if math.isnan(self._peak) else max(peak, self._peak)

    def request_end(self, grace: int) -> None:
        """Asks it to end, by SIGTERM, and by SIGKILL after `grace` seconds."""
        assert self._watchdog.stdin
        with suppress(OSError):
            self._watchdog.stdin.write(bytes([grace]))
            self._watchdog.stdin.flush()

    def _await_end(self, status: int) -> None:
        """Notes how the program ended, as its watchdog writes it."""
        with os.fdopen(status, errors="replace") as file:
            told = dict(line.partition(" ")[::2] for line in file.read().splitlines())
        self._watchdog.wait()
        group, peak = told.pop("group", ""), told.pop("peak", "")
        if peak and int(peak) and math.isnan(self._peak):
            self._note_memory(int(peak))
        for word, detail in told.items():
            self.end = ProgramEnd(word, detail)
        if group and not told:  # the watchdog was killed, and could kill nothing
            with suppress(OSError):
                os.killpg(int(group), signal.SIGKILL)
        self._has_watchdog_ended.set()
        self._lines.put(None)

    def _read(self, stream: IO[bytes]) -> None:
        """Queues the lines of a stream until it is closed."""
        rest = b""
        with stream:
            while chunk := os.read(stream.fileno(), _MAX_LINE):
                self.last_sign = time.monotonic()
                *whole, rest = (rest + chunk).split(b"\n")
                if len(rest) > _MAX_LINE:
                    whole, rest = [*whole, rest], b""
                for line in whole:
                    self._lines.put(as_text(line))
        if rest:
            self._lines.put(as_text(rest))
        self._lines.put(None)


def program_environment() -> dict[str, str]:
    """This process' environment, without what Ray has put there for processes of its own."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(("RAY_", "TUNE_"))}
    paths = own.pop("PYTHONPATH", "").split(os.pathsep)
    kept = [path for path in paths if path and "runtime_resources" not in path]
    if kept:
        own["PYTHONPATH"] = os.pathsep.join(kept)
    # Python would keep lines back for long, as a pipe is no terminal.
    return {"PYTHONUNBUFFERED": "1", **own}


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
