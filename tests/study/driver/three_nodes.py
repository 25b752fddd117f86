"""A head and two workers on one machine, a study across them, and one worker killed in the middle.

    unshare -rnmpf --mount-proc --kill-child python -m tests.study.driver.three_nodes ROOT SCENE ...

The workers do not see the driver's study folder. Prints what happened as JSON.
"""

from __future__ import annotations

import json
import re
import socket
import sys
from pathlib import Path

from tests.study.driver.ray_nodes import start_head, start_study, start_worker, wait_until


def main(root: Path, scene: str, options: list[str]) -> None:
    studies, storage = root / "studies", root / "storage"
    studies.mkdir()
    start_head(root)
    # One after another: Ray looks for free ports, then takes them a moment later.
    nodes = {f"node{i}": start_worker(root, i, "--num-cpus=1", own=[studies]) for i in (3, 4)}
    study = ["--studies", studies, "--storage", storage, "--name=far", "--scene", scene]
    driver_log = root / "driver.log"
    driver = start_study(driver_log, *study, *options)
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
