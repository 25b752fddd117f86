"""A head and two workers on one machine, a study across them, and one worker killed in the middle.

    unshare -rnmpf --mount-proc --kill-child python three_nodes.py ROOT SCENE OPTIONS...

Run in namespaces of its own: Ray listens on every interface there is, and here that is loopback
alone; all that it leaves behind ends with the first process. Each node has its own name, and the
workers do not see the driver's study folder. Prints what happened as JSON.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

RUN_SWEEP = Path(__file__).parents[3] / "study" / "run_sweep.py"
HEAD = "127.0.0.2:6399"
_NODE = """
import os, socket, sys
socket.sethostname(sys.argv[1])
os.execvp(sys.argv[2], sys.argv[2:])
"""


def bring_loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP


class Node:
    """A `ray start` under its own name, on which the folders `own` begin empty and unshared."""

    def __init__(self, name: str, log: Path, *options: str, own: Sequence[Path] = ()) -> None:
        """Returns when the node is part of the cluster; its output goes to the file `log`."""
        mounts = "".join(f"mount -t tmpfs tmpfs '{folder}' && " for folder in own)
        ray = [sys.executable, "-m", "ray.scripts.scripts"]
        node = [sys.executable, "-c", _NODE, name, *ray]
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
    deadline = time.monotonic() + 600  # for a machine that does much else
    while not happened():
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"never: {what}\n{log.read_text()}")
        time.sleep(0.1)


def main(root: Path, scene: str, options: list[str]) -> None:
    bring_loopback_up()
    token = root / "token"
    token.write_text(secrets.token_hex(32))
    os.environ |= {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token),
        # A node is given up after five refused checks; Ray's default has 3 s between two.
        "RAY_health_check_period_ms": "1000",
    }
    studies, storage, scratch = (root / name for name in ("studies", "storage", "ray"))
    studies.mkdir()
    scratch.mkdir()
    address, port = HEAD.split(":")
    place = [f"--node-ip-address={address}", f"--port={port}", f"--temp-dir={scratch}"]
    Node("head", root / "head.log", "--head", "--num-cpus=0", "--include-dashboard=false", *place)
    nodes: dict[str, Node] = {}
    for i in (3, 4):  # one after another: Ray looks for free ports, then takes them a moment later
        joins = [f"--address={HEAD}", f"--node-ip-address=127.0.0.{i}", "--num-cpus=1"]
        own = (studies, scratch)
        nodes[f"node{i}"] = Node(f"node{i}", root / f"node{i}.log", *joins, own=own)
    study = ["--studies", studies, "--storage", storage, "--name=far", "--address", HEAD]
    driver_log = root / "driver.log"
    with driver_log.open("wb") as file:
        driver = subprocess.Popen(
            [sys.executable, str(RUN_SWEEP), *map(str, study), "--scene", scene, *options],
            stdout=file,
            stderr=subprocess.STDOUT,
            env=os.environ | {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1"},
        )
    log = storage / "far" / "logs" / "00000.log"
    checkpoint = storage / "far" / "checkpoints" / "00000.pt"
    # The log may come to the storage after the checkpoint. Until the node is lost, trials wait.
    trains = (checkpoint, log)
    wait_until(lambda: all(map(Path.exists, trains)), "a checkpoint", driver, driver_log)
    (killed,) = re.findall(r"=== attempt 1 on (\S+),", log.read_text())
    nodes[killed].kill()
    (root / "released").touch()
    wait_until(lambda: driver.poll() is not None, "the study's end", driver, driver_log)
    interfaces = [name for _, name in socket.if_nameindex()]
    story = {
        "killed": killed,
        "status": driver.returncode,
        "output": driver_log.read_text(),
        "interfaces": interfaces,
    }
    print(json.dumps(story))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
