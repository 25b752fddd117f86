"""Shows on stderr that something slow is still at work: `show_if_slow`."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_FIRST_SECONDS = 2.0
_NEXT_SECONDS = 10.0


@contextmanager
def show_if_slow(doing: str) -> Iterator[None]:
    """Prints `doing` and the seconds so far, after 2 s and every 10 s, until the block ends."""
    started, ended = time.monotonic(), threading.Event()

    def show() -> None:
        pause = _FIRST_SECONDS
        while not ended.wait(pause):
            seconds = time.monotonic() - started
            print(f"{doing}, {seconds:.0f} s so far", file=sys.stderr, flush=True)
            pause = _NEXT_SECONDS

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
