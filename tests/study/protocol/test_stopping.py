"""Stop requests and lost output, in a process that trains nothing."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import termios
from pathlib import Path
from typing import IO, Any

SCRIPT = """
import sys
from study.monitor.live_view import StudyConsole
from study.protocol.stopping import Stop
with Stop("resume with: ...") as stop:
    print("ready", flush=True)
    sys.stdin.read()
    StudyConsole().print("nobody reads this")
    print("nor this", flush=True)
    print("nor that", file=sys.stderr, flush=True)
    print("stopped" if stop.requested else "continues", file=open(sys.argv[1], "w"))
"""


def start(
    output: int | IO[Any], answer: Path, *before: str, **rest: Any
) -> subprocess.Popen[bytes]:
    """Starts the script, which waits until its input ends, then writes, and gives its answer."""
    return subprocess.Popen(
        [*before, sys.executable, "-c", SCRIPT, str(answer)],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        **rest,
    )


def read_answer(process: subprocess.Popen[bytes], answer: Path) -> str:
    assert process.stdin
    process.stdin.close()
    assert process.wait(60) == 0
    return answer.read_text().strip()


def test_a_pipe_without_a_reader_stops_nothing(tmp_path: Path) -> None:
    """As of `... | tee log`, where Ctrl-C ends tee first."""
    process = start(subprocess.PIPE, tmp_path / "answer")
    assert process.stdout
    assert process.stdout.readline() == b"ready\n"
    process.stdout.close()
    assert read_answer(process, tmp_path / "answer") == "continues"


def test_a_closed_terminal_requests_a_stop(tmp_path: Path) -> None:
    screen, terminal = os.openpty()

    def control() -> None:
        fcntl.ioctl(1, termios.TIOCSCTTY, 0)

    process = start(terminal, tmp_path / "answer", preexec_fn=control)
    os.close(terminal)
    assert os.read(screen, 100).startswith(b"ready")  # its end may come a moment later
    os.close(screen)
    assert read_answer(process, tmp_path / "answer") == "stopped"


def test_nohup_has_a_study_outlive_its_terminal(tmp_path: Path) -> None:
    process = start(subprocess.PIPE, tmp_path / "answer", "nohup")
    assert process.stdout
    while process.stdout.readline() != b"ready\n":  # after nohup's own line
        pass
    os.killpg(process.pid, signal.SIGHUP)
    assert read_answer(process, tmp_path / "answer") == "continues"
