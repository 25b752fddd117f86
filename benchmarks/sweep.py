"""What does the platform itself cost? A sweep of real trials, and one of nearly empty ones.

    python benchmarks/sweep.py [--trials 32] [--steps 400] [--empty 1000]

Both are runs of `study/run_sweep.py`. Training share is the time that trials spent in training
steps out of slots x the time from the first trial's start to the last one's end. Overhead is
that wall time x slots per trial, less its training. Empty trials make two steps of a tiny network
on a tiny scene. Memory is the driver's resident set, as the kernel counts it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
from reporting import show, write

from nerf.scenes import load

RUN_SWEEP = Path(__file__).parent.parent / "study" / "run_sweep.py"
TINY = [
    "--set=field.width=4",
    "--set=field.depth=1",
    "--set=sampling.coarse=2",
    "--set=optimisation.rays=8",
    "--set=evaluation.times=1",
    "--set=evaluation.pixels=256",
    "--set=evaluation.final_pixels=256",
    "--set=compute.occupancy=0",
    "--vary=encoding.position_frequencies=1:4",
    "--vary=optimisation.learning_rate",
]


def tiny_scene(path: Path) -> Path:
    """Nine pictures of nothing much, 12 x 12."""
    bricks = load("bricks")
    views = slice(0, 9)
    np.savez(
        path,
        images=bricks.images[views, 44:56, 44:56],
        poses=bricks.world_from_camera[views],
        focal=np.float32(138.9),
    )
    return path


def run(folder: Path, name: str, arguments: list[str]) -> dict[str, float]:
    """Wall seconds of the command and its driver's memory, MB: at its peak and over its course."""
    command = [sys.executable, str(RUN_SWEEP), "--studies", str(folder), "--name", name]
    began = time.perf_counter()
    process = subprocess.Popen([*command, "--plain", *arguments])
    course: list[float] = []

    def watch() -> None:
        while process.poll() is None:
            try:
                status = Path(f"/proc/{process.pid}/status").read_text()
            except OSError:
                return
            lines = [line for line in status.splitlines() if line.startswith("VmRSS")]
            course.extend(int(line.split()[1]) / 1024 for line in lines)
            time.sleep(0.5)

    watcher = threading.Thread(target=watch)
    watcher.start()
    if process.wait() != 0:
        raise SystemExit(f"the sweep {name} failed; its output is above")
    watcher.join()
    quarter = max(len(course) // 4, 1)
    return {
        "wall": time.perf_counter() - began,
        "peak": max(course),
        "early": float(np.median(course[quarter : 2 * quarter] or course)),
        "late": float(np.median(course[-quarter:])),
    }


def figures(study: Path, taken: dict[str, float], slots: int) -> list[list[object]]:
    """What the tables of a study say about its time."""
    trials = pd.read_parquet(study / "trials.parquet")
    span = (trials["ended"].max() - trials["started"].min()).total_seconds()
    lived = (trials["ended"] - trials["started"]).dt.total_seconds()
    training = float(trials["train_seconds"].sum())
    return [
        ["trials", len(trials)],
        ["command, s", taken["wall"]],
        ["first start to last end, s", span],
        ["share of slots x time spent training", training / (slots * span)],
        ["share of slots x time inside trials", float(lived.sum()) / (slots * span)],
        ["share of a trial spent training", training / float(lived.sum())],
        ["overhead, s a trial", (slots * span - training) / len(trials)],
        ["driver's memory, MB: peak", taken["peak"]],
        ["driver's memory, MB: second quarter, last quarter", _pair(taken)],
    ]


def _pair(taken: dict[str, float]) -> str:
    return f"{taken['early']:.0f}, {taken['late']:.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=32)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--empty", type=int, default=1000)
    parser.add_argument("--slots", type=int, default=2, help="trials at once")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    tables: dict[str, list[list[object]]] = {}
    at_once = ["--max-concurrent", str(asked.slots), "--optimize", "0"]
    with tempfile.TemporaryDirectory(prefix="sweep benchmark ") as made:
        folder = Path(made)
        if asked.trials:
            wanted = ["--explore", str(asked.trials), "--steps", str(asked.steps), *at_once]
            taken = run(folder, "real", wanted)
            tables["real trials"] = figures(folder / "real", taken, asked.slots)
        if asked.empty:
            scene = tiny_scene(folder / "tiny.npz")
            wanted = ["--scene", str(scene), "--explore", str(asked.empty), "--steps", "2"]
            taken = run(folder, "empty", [*wanted, *TINY, *at_once])
            tables["empty trials"] = figures(folder / "empty", taken, asked.slots)
    for title, rows in tables.items():
        show(f"{title}, {asked.slots} at once", ["figure", "value"], rows)
    write(asked.json, "sweep", json.loads(json.dumps(tables, default=str)))


if __name__ == "__main__":
    main()
