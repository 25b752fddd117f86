"""A study on a node that claims two GPUs: without CUDA, with both broken, with both repaired.

    unshare -rnmpf --mount-proc --kill-child python -m tests.study.driver.gpu_cluster ROOT ...

Half a GPU for each trial, and CPUs for three. Prints for each launch the driver's exit status and
output, the trials that have ended by then, and per attempt the trial, its GPU and its process.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.study.driver.ray_nodes import start_head, start_study, start_worker, wait_until


def main(root: Path, options: list[str]) -> None:
    studies, log, attempts = root / "studies", root / "driver.log", root / "fake_gpus"
    released = root / "released"
    released.touch()
    start_head(root)
    start_worker(root, 3, "--num-cpus=3", "--num-gpus=2")
    new = ["--gpus-per-trial=0.5", *options]

    def launch(*more: object, at_once: int = 0) -> dict[str, Any]:
        driver = start_study(log, "--studies", studies, "--name=gpus", *more)
        if at_once:  # trials stand still until so many have started
            started = lambda: len(attempts.read_text().splitlines()) >= at_once  # noqa: E731
            wait_until(started, f"{at_once} trials at the same time", driver, log)
            released.touch()
        wait_until(lambda: driver.poll() is not None, "the launch's end", driver, log)
        records = [file.stem for file in sorted(studies.glob("gpus/records/*.json"))]
        tried = attempts.read_text().splitlines() if attempts.exists() else []
        if attempts.exists():
            attempts.write_text("")
        return {
            "status": driver.returncode,
            "output": log.read_text(),
            "ended": records,
            "attempts": [line.split() for line in tried],
        }

    story = {"without CUDA": launch(*new)}
    attempts.touch()
    (root / "broken_gpus").touch()
    story["broken"] = launch(*new)
    (root / "broken_gpus").unlink()
    released.unlink()
    story["repaired"] = launch("--resume", at_once=3)
    print(json.dumps(story))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
