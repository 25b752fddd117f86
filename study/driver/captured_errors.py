"""What this process writes to standard error, captured, and printed if the process ends over it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_WITNESS = """
import os, sys
sys.stdin.read()  # returns when the process that holds the other end has ended
with os.fdopen(1) as log:  # its standard output is the file, open for reading, too
    log.seek(0)
    lines = [line.strip() for line in log if line.strip()]
last = lines[-1][:300] if lines else "nothing was printed"
print(f"error: {sys.argv[1]} ({last})", file=sys.stderr)
"""


@contextmanager
def captured_errors(ended: str) -> Iterator[TextIO]:
    """The file to which standard error goes inside, also what C++ writes.

    Ray's client ends the process, without an exception, where a node does not let it register. What
    it wrote would be lost with the file: another process then prints `ended` and the last line.
    """
    with tempfile.TemporaryFile("w+") as log:
        sys.stderr.flush()
        saved = os.dup(2)
        witness = subprocess.Popen(
            [sys.executable, "-ISc", _WITNESS, ended],
            stdin=subprocess.PIPE,
            stdout=log,
            start_new_session=True,  # Ctrl-C is for this process, which then ends the witness
        )
        os.dup2(log.fileno(), 2)
        try:
            yield log
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
            witness.kill()
            witness.communicate()
