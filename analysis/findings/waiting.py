"""Shows on a terminal's stderr that something slow is still at work: `show_if_slow`."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_FIRST_SECONDS = 2.0
_NEXT_SECONDS = 1.0
_CLEAR = "\r\x1b[K"  # to the start of the line, which is erased


@contextmanager
def show_if_slow(doing: str) -> Iterator[None]:
    """Shows `doing` and the seconds so far on one line, from 2 s on, until the block ends.

    On a terminal only: elsewhere nothing is written, and nothing is left on the terminal.
    """
    if not sys.stderr.isatty():
        yield
        return
    started, ended = time.monotonic(), threading.Event()

    def show() -> None:
        pause = _FIRST_SECONDS
        while not ended.wait(pause):
            seconds = time.monotonic() - started
            print(f"{_CLEAR}{doing} ... {seconds:.0f} s", end="", file=sys.stderr, flush=True)
            pause = _NEXT_SECONDS

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        print(_CLEAR, end="", file=sys.stderr, flush=True)
