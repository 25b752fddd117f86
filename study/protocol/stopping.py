"""How a launch is asked to end: Ctrl-C, SIGTERM or a lost terminal, once or twice.

Asked once, running trials keep themselves and the next launch goes on with them; asked twice,
everything ends at once. Signals only leave a note here: what follows from it happens where the
driver can safely talk to Ray.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import psutil

from nerf.common.command_line import INTERRUPTED

GRACE = 6.0
"""Seconds that running trials have to keep themselves; their last checkpoint serves those that take
longer."""

_LAST = 8.0
"""Seconds after which the process ends by force, should Ray hold it up."""

_LOOKED_EVERY = 0.5  # seconds between two looks of a trial at whether it is to stop
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop:
    """Whether, and since when, this process has been asked to end. Use it as a context."""

    def __init__(self, way_back: str) -> None:
        """`way_back` is what a person is told when all ends at once."""
        self.since: float | None = None
        self._way_back = way_back
        self._before: dict[signal.Signals, Any] = {}
        self._over = threading.Event()

    def __enter__(self) -> Stop:
        self._before = {number: signal.getsignal(number) for number in _SIGNALS}
        self.listen()
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def listen(self) -> None:
        """Takes the signals; again, where Ray has taken them over."""
        for number in _SIGNALS:
            signal.signal(number, self._hear)

    @property
    def asked(self) -> bool:
        return self.since is not None

    def ask(self) -> None:
        """As a signal would."""
        self.since = self.since or time.monotonic()

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self.since is not None:
            self._leave()
        self.since = time.monotonic()

    def _watch(self) -> None:
        while not self._over.wait(0.25):
            if self.since is not None and time.monotonic() > self.since + _LAST:
                self._leave()

    def _leave(self) -> None:
        kill_children()
        os.write(2, f"\nstopped at once; {self._way_back}\n".encode())
        os._exit(INTERRUPTED)


def kill_children() -> None:
    """Ends every process that this one has begun, Ray's own among them."""
    children = psutil.Process().children(recursive=True)
    for child in children:
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(children, timeout=1)


def tell_trials(launch: str) -> None:
    """Asks the running trials of a launch to keep themselves and stop."""
    from ray.experimental import internal_kv

    internal_kv._internal_kv_put(_key(launch), b"stop")


def listener(launch: str) -> Callable[[], bool]:
    """In a trial: has its launch been asked to stop? Once it has, it has for good."""
    from ray.experimental import internal_kv

    due, told = 0.0, False

    def should_stop() -> bool:
        nonlocal due, told
        if not told and time.monotonic() >= due:
            told = internal_kv._internal_kv_get(_key(launch)) is not None
            due = time.monotonic() + _LOOKED_EVERY
        return told

    return should_stop


def _key(launch: str) -> str:
    return f"nerf-study/{launch}/stop"
