"""Launches on a cluster that refuses them: by its token, for want of room or a shared folder.

    unshare -rnmpf --mount-proc --kill-child python -m tests.study.driver.refused_launches ROOT ...

Prints for each the driver's exit status, its output and the files it left, as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from tests.study.driver.ray_nodes import HEAD, start_head, start_study, start_worker, wait_until


def main(root: Path, options: list[str]) -> None:
    home, studies, log = root / "home", root / "studies", root / "driver.log"
    home.mkdir()
    start_head(root)

    def refused(*more: object, stop_at: str = "", **environment: str) -> dict[str, Any]:
        before = os.environ.copy()
        os.environ |= environment
        driver = start_study(log, "--studies", studies, "--name=no", *options, *more)
        os.environ.clear()
        os.environ |= before
        if stop_at:
            wait_until(lambda: stop_at in log.read_text(), stop_at, driver, log)
            driver.terminate()
        wait_until(lambda: driver.poll() is not None, "the launch's end", driver, log)
        left = [str(path) for path in studies.rglob("*")] + [str(studies)] * studies.exists()
        return {"status": driver.returncode, "output": log.read_text(), "left": left}

    (root / "wrong").write_text("0" * 64)
    tokens = {
        "wrong token": {"RAY_AUTH_TOKEN_PATH": str(root / "wrong")},
        "lost token": {"RAY_AUTH_TOKEN_PATH": str(root / "none")},
        "no token": {"RAY_AUTH_MODE": "", "RAY_AUTH_TOKEN_PATH": "", "HOME": str(home)},
    }
    story = {name: refused(**environment) for name, environment in tokens.items()}
    story["no cluster"] = refused("--address", HEAD.replace("6399", "6398"))
    story["no room"] = refused("--wait-for-nodes=1", "--cpus-per-trial=2")
    story["terminated"] = refused(stop_at="waiting for 1 CPU: the cluster has 0 CPUs")
    studies.mkdir()  # mounted over by the worker's own
    start_worker(root, 3, "--num-cpus=1", own=[studies])
    story["not shared"] = refused()
    print(json.dumps(story))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
