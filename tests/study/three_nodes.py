"""A head and two workers on one machine, a study across them, and one worker killed in the middle.

    unshare -rnmpf --mount-proc --kill-child python tests/study/three_nodes.py ROOT SCENE OPTIONS...

Run in namespaces of its own: Ray listens on every interface there is, and here that is loopback
alone; whatever it leaves behind ends with the first process. Each node has its own name, and the
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
from pathlib import Path

import psutil

RUN_SWEEP = Path(__file__).parents[2] / "study" / "run_sweep.py"
HEAD = "127.0.0.2:6399"
_NODE = """
import os, socket, sys
socket.sethostname(sys.argv[1])
os.execvp(sys.argv[2], sys.argv[2:])
"""


def bring_loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP


def ray_start(name: str, *options: str, own: Sequence[Path] = ()) -> subprocess.Popen[bytes]:
    """A node called `name`, on which these folders begin empty and are not those of others."""
    mounts = "".join(f"mount -t tmpfs tmpfs '{folder}' && " for folder in own)
    node = [sys.executable, "-c", _NODE, name, str(Path(sys.executable).with_name("ray")), "start"]
    command = [*node, "--block", "--disable-usage-stats", *options]
    return subprocess.Popen(
        ["unshare", "-um", "sh", "-c", f'{mounts}exec "$@"', "sh", *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def family(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    parent = psutil.Process(process.pid)
    return [parent, *parent.children(recursive=True)]


def wait_until(happened: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 120
    while not happened():
        if time.monotonic() > deadline:
            raise SystemExit(f"never: {what}")
        time.sleep(0.1)


def raylets() -> int:
    """How many nodes there are."""
    return sum("raylet" in process.name() for process in psutil.process_iter())


def main(root: Path, scene: str, options: list[str]) -> None:
    bring_loopback_up()
    token = root / "token"
    token.write_text(secrets.token_hex(32))
    os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token)}
    studies, storage, scratch = (root / name for name in ("studies", "storage", "ray"))
    studies.mkdir()
    scratch.mkdir()
    address, port = HEAD.split(":")
    place = [f"--node-ip-address={address}", f"--port={port}", f"--temp-dir={scratch}"]
    ray_start("head", "--head", "--num-cpus=0", "--include-dashboard=false", *place)
    wait_until(lambda: _answers(address, int(port)), "the head answers")
    nodes = {
        f"node{i}": ray_start(
            f"node{i}", f"--address={HEAD}", f"--node-ip-address=127.0.0.{i}", "--num-cpus=1",
            own=(studies, scratch),
        )
        for i in (3, 4)
    }  # fmt: skip
    wait_until(lambda: raylets() == 3, "three nodes")
    asked = ["--studies", studies, "--storage", storage, "--name=far", "--address", HEAD]
    driver = subprocess.Popen(
        [sys.executable, str(RUN_SWEEP), *map(str, asked), "--scene", scene, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1"},
    )
    log = storage / "far" / "logs" / "00000.log"
    checkpoint = storage / "far" / "checkpoints" / "00000.pt"
    wait_until(lambda: checkpoint.exists() or driver.poll() is not None, "a checkpoint")
    (killed,) = re.findall(r"=== attempt 1 on (\S+),", log.read_text()) or [""]
    for member in family(nodes[killed]) if killed else []:
        member.kill()
    said, _ = driver.communicate(timeout=150)
    interfaces = [name for _, name in socket.if_nameindex()]
    told = {"killed": killed, "status": driver.returncode, "said": said, "interfaces": interfaces}
    print(json.dumps(told))


def _answers(address: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
