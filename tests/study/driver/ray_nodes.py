"""Ray nodes on one machine, each a `ray start` of its own, for scripts that run in namespaces.

Ray listens on every interface there is, and in such a namespace that is loopback alone; all that it
leaves behind ends with the namespace's first process.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from study.records.study_folder import StudyFolder
from tests.study.sweeps import hooks

RUN_SWEEP = Path(__file__).parents[3] / "study" / "run_sweep.py"
HEAD = "127.0.0.2:6399"
ALONE = ["unshare", "-rnmpf", "--mount-proc", "--kill-child"]
RAY_GAVE_UP = (
    "The current node timed out during startup",  # after 30 s, however busy the machine is
    "this process ended while it joined the Ray cluster",  # its node did not let it register
)

_RENAMED = """
import os, socket, sys
socket.sethostname(sys.argv[1])
os.execvp(sys.argv[2], sys.argv[2:])
"""


@dataclass(frozen=True)
class Story:
    """How a study on such nodes ended."""

    folder: StudyFolder
    status: int
    output: str


class Node:
    """A `ray start` under its own name, on which the folders `own` begin empty and unshared."""

    def __init__(self, name: str, log: Path, *options: str, own: Sequence[Path] = ()) -> None:
        """Returns when the node is part of the cluster; its output goes to the file `log`."""
        mounts = "".join(f"mount -t tmpfs tmpfs '{folder}' && " for folder in own)
        ray = [sys.executable, "-m", "ray.scripts.scripts"]
        node = [sys.executable, "-c", _RENAMED, name, *ray]
        command = [*node, "start", "--block", "--disable-usage-stats", *options]
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                ["unshare", "-um", "sh", "-c", f'{mounts}exec "$@"', "sh", *command],
                stdout=file,
                stderr=subprocess.STDOUT,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
            )
        up = "Ray runtime started"
        wait_until(lambda: up in log.read_text(), f"{name} joins", self._process, log)

    def kill(self) -> None:
        """SIGKILL for all its processes."""
        parent = psutil.Process(self._process.pid)
        for member in [parent, *parent.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                member.kill()


def wait_until(
    happened: Callable[[], bool], what: str, process: subprocess.Popen[bytes], log: Path
) -> None:
    """Ends the script with the process's output if it ends before `happened` is true."""
    deadline = time.monotonic() + 300  # for a machine that does much else
    while not happened():
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"never: {what}\n{log.read_text()}\n{_what_ray_has()}")
        time.sleep(0.1)


def _what_ray_has() -> str:
    """Nodes, resources in use and those that are waited for."""
    status = [sys.executable, "-m", "ray.scripts.scripts", "status", f"--address={HEAD}"]
    return subprocess.run(status, capture_output=True, text=True, timeout=60).stdout


def start_head(root: Path, *options: str) -> Node:
    """Starts a head without CPUs, for nodes and a study that join it with its token.

    Call it once, in namespaces of their own; files go to the folder `root`.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:  # loopback is down
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP
    token = root / "token"
    token.write_text(secrets.token_hex(32))
    os.environ |= {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token),
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1",  # a study on one machine sets it to 0
        # A node is given up after five refused checks; Ray's default has 3 s between two.
        "RAY_health_check_period_ms": "1000",
    }
    (root / "ray").mkdir()
    address, port = HEAD.split(":")
    place = [f"--node-ip-address={address}", f"--port={port}", f"--temp-dir={root / 'ray'}"]
    what = ["--head", "--num-cpus=0", "--include-dashboard=false"]
    return Node("head", root / "head.log", *what, *place, *options)


def start_worker(root: Path, number: int, *options: str, own: Sequence[Path] = ()) -> Node:
    """Starts `node3`, `node4`, ...; on it the folders `own` begin empty, as Ray's does."""
    joins = [f"--address={HEAD}", f"--node-ip-address=127.0.0.{number}", *options]
    name = f"node{number}"
    return Node(name, root / f"{name}.log", *joins, own=[*own, root / "ray"])


def start_study(log: Path, *arguments: object) -> subprocess.Popen[bytes]:
    """Starts a study on the cluster; its output goes to the file `log`."""
    command = [sys.executable, RUN_SWEEP, "--address", HEAD, *arguments]
    with log.open("wb") as file:
        return subprocess.Popen(
            [str(word) for word in command],
            stdout=file,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )


def require_namespaces() -> None:
    """Skips the test where this user may not make namespaces."""
    tried = shutil.which(ALONE[0]) and subprocess.run([*ALONE, "true"], capture_output=True)
    if not tried or tried.returncode:
        pytest.skip("no right to make namespaces")


@contextmanager
def run_alone(module: str, *arguments: object) -> Iterator[tuple[Path, str]]:
    """A script of this folder in namespaces of its own: its folder and its output.

    It gets the folder as its first argument. Trials stand still at step 41 until the script makes
    the file `released` there; `fake_gpus` and `broken_gpus` are as in hooks/sitecustomize.py.
    """
    with tempfile.TemporaryDirectory(prefix="nodes-") as short:  # as Ray's sockets need it
        for root in (Path(short) / "1", Path(short) / "2", Path(short) / "3"):
            root.mkdir()
            script = [sys.executable, "-m", f"tests.study.driver.{module}", root, *arguments]
            files = {name: str(root / name.lower()) for name in ("FAKE_GPUS", "BROKEN_GPUS")}
            environment = hooks(HELD_FROM="0", HELD_UNTIL=str(root / "released"), **files)
            done = subprocess.run(
                [*ALONE, *map(str, script)],
                cwd=RUN_SWEEP.parents[1],
                capture_output=True,
                text=True,
                env=os.environ | environment,
                timeout=1500,  # more than all that the scripts wait for on a crowded machine
            )
            if not any(line in done.stdout + done.stderr for line in RAY_GAVE_UP):
                break
        assert done.returncode == 0, done.stdout + done.stderr
        yield root, done.stdout
