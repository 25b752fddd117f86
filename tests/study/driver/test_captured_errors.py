"""Standard error that is captured, of a process that goes on and of one that is ended."""

from __future__ import annotations

import subprocess
import sys

import pytest

GOES_ON = """
import os, sys
from study.driver.captured_errors import captured_errors
with captured_errors("it ended") as log:
    os.write(2, b"from C\\n")
    print("from Python", file=sys.stderr)
    sys.stderr.flush()
    log.seek(0)
    captured = log.read()
print(captured, end="")
print("afterwards", file=sys.stderr)
"""
ENDS = """
import os
from study.driver.captured_errors import captured_errors
with captured_errors("it ended"):
    os.write(2, {written!r})
    os._exit(1)
"""


def run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)


def test_what_python_and_c_write_is_captured_and_nothing_else() -> None:
    done = run(GOES_ON)
    assert (done.stdout, done.stderr) == ("from C\nfrom Python\n", "afterwards\n")


@pytest.mark.parametrize(
    ("written", "last"),
    [(b"first\nFailed to register worker\n\n", "Failed to register worker"),
     (b"", "nothing was printed")],
)  # fmt: skip
def test_the_last_line_of_a_process_that_ends_inside_is_printed(written: bytes, last: str) -> None:
    assert run(ENDS.format(written=written)).stderr == f"error: it ended ({last})\n"
