"""Runs a program, and ends it with all of its processes once nobody waits for it any more.

    python -IS watchdog.py STATUS WORKDIR COMMAND [ARGUMENT...]

It stands between a trial and its program. Its standard input is a pipe from the trial: a byte there
asks the program to end (SIGTERM, and SIGKILL after as many seconds as the byte's value); the end of
the pipe means that the trial's process is dead, and the program is killed at once. To the file
descriptor STATUS it writes lines: `group` with the program's process group, `peak` with the most
memory of any one of its processes, in bytes, and last how it ended. It inherits the lock of the
trial's folder, and so holds that as long as it runs.

Needs nothing but Python's own library, of which it imports little: it starts in a moment.
"""

import contextlib
import ctypes
import os
import pathlib
import resource
import select
import signal
import subprocess
import sys
import time

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_END_SECONDS = 10.0


def main(arguments: list[str]) -> None:
    status, workdir, *command = arguments
    _set_process_option(_PR_SET_CHILD_SUBREAPER, 1)  # orphans of the program become ours
    wakeup = _wake_up_on_signals()
    end = _run(command, workdir, wakeup, int(status))
    os.write(int(status), f"peak {_peak_memory()}\n{end}\n".encode(errors="replace"))


def _run(command: list[str], workdir: str, wakeup: int, status: int) -> str:
    """Runs the command to its end; returns how it ended."""
    try:
        program = subprocess.Popen(
            command,
            cwd=workdir,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=lambda: _set_process_option(_PR_SET_PDEATHSIG, signal.SIGKILL),
        )
    except OSError as error:
        return f"not-started {error.strerror}: {error.filename}"
    os.write(status, f"group {program.pid}\n".encode())
    try:
        code = _wait(program, wakeup)
    finally:
        _kill_all(program.pid)
    return f"killed {-code}" if code < 0 else f"exited {code}"


def _wait(program: "subprocess.Popen[bytes]", wakeup: int) -> int:
    """Returns once the program has ended, or is to be killed, which counts as having been."""
    kill_at: float | None = None
    streams = [0, wakeup]
    while (code := program.poll()) is None:
        left = None if kill_at is None else kill_at - time.monotonic()
        if left is not None and left <= 0:
            return -signal.SIGKILL
        readable, _, _ = select.select(streams, [], [], left)
        if wakeup in readable:
            os.read(wakeup, 4096)
        if 0 in readable:
            request = os.read(0, 1)
            if not request:
                return -signal.SIGKILL
            kill_at = time.monotonic() + request[0]
            _signal_group(program.pid, signal.SIGTERM)
    return code


def _kill_all(group: int) -> None:
    """Kills the program's group, and on Linux every process that it left, wherever it has gone."""
    give_up_at = time.monotonic() + _END_SECONDS
    while time.monotonic() < give_up_at:
        _signal_group(group, signal.SIGKILL)
        for child in _children():
            _signal(child, signal.SIGKILL)
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            time.sleep(0.005)


def _children() -> list[int]:
    """Processes whose parent this one is; none where there is no /proc."""
    children = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = (process / "stat").read_bytes().rpartition(b")")[2].split()[1]
            if int(parent) == os.getpid():
                children.append(int(process.name))
    return children


def _peak_memory() -> int:
    """The most resident memory of any one process that has ended, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _signal_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: of zombies alone
        os.killpg(group, number)


def _signal(process: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)


def _wake_up_on_signals() -> int:
    """A file descriptor that can be read once a child has ended; ignores what ends a process.

    By handlers that do nothing, as the program would inherit an ignored signal.
    """
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    return reader


def _set_process_option(option: int, value: int) -> None:
    """Linux's prctl; nothing elsewhere."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value)


if __name__ == "__main__":
    main(sys.argv[1:])
