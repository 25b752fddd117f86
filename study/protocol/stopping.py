"""Stop requests: Ctrl-C, SIGTERM or a closed terminal.

After the first, running trials save their checkpoints and the next launch resumes them; after a
second Ctrl-C or SIGTERM, everything ends at once. A signal handler only takes a note of the request
here. The driver acts on it between two steps of Tune, since calling Ray from a handler may
deadlock.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import psutil

from nerf.common.command_line import INTERRUPTED
from study.protocol.lost_output import discard_lost_output

GRACE = 6.0
"""Seconds that running trials have to save checkpoints; those that take longer resume from their
last one."""

_KILL_AFTER = 8.0
"""Seconds after which the process ends by force, should Ray hold it up."""

_POLL_INTERVAL = 0.5  # seconds between two queries of a trial; each one is a remote call

_HANG_UP = getattr(signal, "SIGHUP", None)  # Windows has none
_SIGNALS = tuple(number for number in (signal.SIGINT, signal.SIGTERM, _HANG_UP) if number)


def _earlier_handlers() -> dict[signal.Signals, Any]:
    """The handlers of the signals that stop a study; `nohup` has it ignore SIGHUP."""
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    return {n: handler for n, handler in handlers.items() if handler is not signal.SIG_IGN}


class Stop:
    """Whether this process has been requested to stop. Use it as a context."""

    def __init__(self, resume_hint: str) -> None:
        """`resume_hint` is printed where everything ends at once."""
        self._requested_at: float | None = None
        self._resume_hint = resume_hint
        self._earlier_handlers: dict[signal.Signals, Any] = {}
        self._exited = threading.Event()

    def __enter__(self) -> Stop:
        self._earlier_handlers = _earlier_handlers()
        self.install_handlers()
        threading.Thread(target=self._kill_when_overdue, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._exited.set()
        for number, handler in self._earlier_handlers.items():
            signal.signal(number, handler)

    def install_handlers(self) -> None:
        """Handles the signals; call it again where Ray has installed handlers of its own."""
        for number in self._earlier_handlers:
            signal.signal(number, self._on_signal)

    @property
    def requested(self) -> bool:
        return self._requested_at is not None

    def request(self) -> None:
        """Requests a stop, as the first signal does."""
        self._requested_at = self._requested_at or time.monotonic()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if number == _HANG_UP:  # once or twice, as the terminal's shell may send it, too
            discard_lost_output()
            self.request()
            return
        if self.requested:
            self._exit_now()
        self.request()

    def _kill_when_overdue(self) -> None:
        while not self._exited.wait(0.25):
            if self._requested_at and time.monotonic() > self._requested_at + _KILL_AFTER:
                self._exit_now()

    def _exit_now(self) -> None:
        kill_children()
        discard_lost_output()
        if os.isatty(1):
            os.write(1, b"\x1b[?25h")  # the cursor, which the live view hides
        # Neither print nor sys.exit: this may run in a signal handler, or beside a blocked thread.
        os.write(2, f"\nstopped at once; {self._resume_hint}\n".encode())
        os._exit(INTERRUPTED)


@contextmanager
def interrupted_by_signals() -> Iterator[None]:
    """A context in which each of the signals raises `KeyboardInterrupt`: nothing is to be saved."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    earlier = _earlier_handlers()
    for number in earlier:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def kill_children() -> None:
    """Ends every process that this one has started, Ray's own among them."""
    children = psutil.Process().children(recursive=True)
    for child in children:
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(children, timeout=1)


def broadcast_stop(launch: str) -> None:
    """Requests the running trials of a launch to save their checkpoints and stop.

    Through Ray's key-value store, which reaches every node and needs no process of its own.
    """
    from ray.experimental import internal_kv

    internal_kv._internal_kv_put(_key(launch), b"stop")


def make_stop_check(launch: str) -> Callable[[], bool]:
    """A function for a trial: whether its launch is to stop; cheap enough to call at each step."""
    from ray.experimental import internal_kv

    next_poll, stopped = 0.0, False

    def should_stop() -> bool:
        nonlocal next_poll, stopped
        if not stopped and time.monotonic() >= next_poll:
            stopped = internal_kv._internal_kv_get(_key(launch)) is not None
            next_poll = time.monotonic() + _POLL_INTERVAL
        return stopped

    return should_stop


def _key(launch: str) -> str:
    return f"nerf-study/{launch}/stop"
