"""`run_sweep.py` as the child of the process that called `Study.run`, with which it ends.

    python -m study.api.run_child [--quiet] OPTIONS OF run_sweep.py

Its standard input is a pipe that the parent holds open: once that is closed, also by the parent's
death, the study stops as by SIGTERM, and its trials save their checkpoints.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from study import run_sweep
from study.monitor.live_view import StudyConsole

QUIET = "--quiet"
"""Prints no line for each trial: the parent shows the trials itself."""


def main() -> int:
    """Runs the command; returns its exit status."""
    threading.Thread(target=_stop_with_parent, daemon=True).start()
    arguments = sys.argv[1:]
    if arguments[:1] != [QUIET]:
        return run_sweep.main(arguments)
    return run_sweep.main(arguments[1:], StudyConsole(force_terminal=False, shows_trials=False))


def _stop_with_parent() -> None:
    while os.read(0, 1):  # nothing is ever written
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
