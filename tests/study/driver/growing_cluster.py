"""A study on a cluster without room at first: a worker joins, a second, and the first is lost.

    unshare -rnmpf --mount-proc --kill-child python -m tests.study.driver.growing_cluster ROOT ...

All nodes share the study folder. Prints the driver's exit status and output as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.study.driver.ray_nodes import start_head, start_study, start_worker, wait_until


def main(root: Path, options: list[str]) -> None:
    start_head(root)
    driver_log = root / "driver.log"
    driver = start_study(driver_log, "--studies", root / "studies", "--name=grown", *options)

    def wait_for_text(file: Path, text: str) -> None:
        found = lambda: file.exists() and text in file.read_text()  # noqa: E731
        wait_until(found, f"{text!r} in {file.name}", driver, driver_log)

    wait_for_text(driver_log, "waiting for 1 CPU: the cluster has 0 CPUs")
    logs = root / "studies" / "grown" / "logs"
    first = start_worker(root, 3, "--num-cpus=1")
    # Each trial stands still after its second evaluation until the file is there.
    wait_for_text(logs / "00000.log", "step 40: ")
    start_worker(root, 4, "--num-cpus=1")
    wait_for_text(logs / "00001.log", "step 40: ")
    first.kill()
    (root / "released").touch()
    wait_until(lambda: driver.poll() is not None, "the study's end", driver, driver_log)
    print(json.dumps({"status": driver.returncode, "output": driver_log.read_text()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
