"""Overhead of the study platform: a study of real trials, and one of nearly empty trials.

    python benchmarks/sweep.py --trials 32 --steps 400 --empty 1000

Both are runs of `study/run_sweep.py`, the first over its wide space; an empty trial makes two steps
of a tiny network on a tiny scene. With slots = trials at once, and span = the time from the start
of the first trial to the end of the last: the training share is the time spent in training steps /
(slots x span), the overhead per trial is (slots x span - training time) / trials. Memory is the
resident set of the driver process.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from reporting import benchmark_parser, positive, print_table, save_json

from nerf.common.command_line import exit_status
from nerf.scenes import load

RUN_SWEEP = Path(__file__).parent.parent / "study" / "run_sweep.py"

TINY_TRIAL = [
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
"""Options of a study whose trials compute almost nothing."""

SAMPLE_SECONDS = 0.5
"""Time between two readings of the driver's memory."""


@dataclass(frozen=True)
class Usage:
    """What a study took: wall seconds of the command, and the driver's memory in MB."""

    seconds: float
    peak: float
    second_quarter: float
    """Median over the second quarter of the run; beside the last quarter it shows a leak."""
    last_quarter: float


def write_tiny_scene(path: Path) -> Path:
    """Saves nine views of 12 x 12 pixels, cut from the built-in scene, as a tiny-NeRF file."""
    bricks = load("bricks")
    views = slice(0, 9)
    np.savez(
        path,
        images=bricks.images[views, 44:56, 44:56],
        poses=bricks.world_from_camera[views],
        focal=np.float32(138.9),
    )
    return path


def run_study(folder: Path, name: str, arguments: list[str]) -> Usage:
    """Runs a study in `folder` and measures its driver; exits with status 1 if it fails."""
    command = [sys.executable, str(RUN_SWEEP), "--studies", str(folder), "--name", name]
    began = time.perf_counter()
    driver = subprocess.Popen([*command, "--plain", *arguments])
    megabytes: list[float] = []

    def sample_memory() -> None:
        while driver.poll() is None:
            try:
                status = Path(f"/proc/{driver.pid}/status").read_text()
            except OSError:
                return
            lines = [line for line in status.splitlines() if line.startswith("VmRSS")]
            megabytes.extend(int(line.split()[1]) / 1024 for line in lines)
            time.sleep(SAMPLE_SECONDS)

    sampler = threading.Thread(target=sample_memory)
    sampler.start()
    if driver.wait() != 0:
        raise SystemExit(f"error: the study {name} failed; its output is above")
    sampler.join()
    quarter = max(len(megabytes) // 4, 1)
    return Usage(
        seconds=time.perf_counter() - began,
        peak=max(megabytes),
        second_quarter=float(np.median(megabytes[quarter : 2 * quarter] or megabytes)),
        last_quarter=float(np.median(megabytes[-quarter:])),
    )


def overhead_rows(study: Path, usage: Usage, slots: int) -> list[list[object]]:
    """Table rows: where the time of a study went."""
    trials = pd.read_parquet(study / "trials.parquet")
    span = (trials["ended"].max() - trials["started"].min()).total_seconds()
    in_trials = float((trials["ended"] - trials["started"]).dt.total_seconds().sum())
    training = float(trials["train_seconds"].sum())
    memory = f"{usage.second_quarter:.0f}, {usage.last_quarter:.0f}"
    return [
        ["trials", len(trials)],
        ["command, s", usage.seconds],
        ["first start to last end, s", span],
        ["share of slots x time spent training", training / (slots * span)],
        ["share of slots x time inside trials", in_trials / (slots * span)],
        ["share of a trial spent training", training / in_trials],
        ["overhead per trial, s", (slots * span - training) / len(trials)],
        ["driver's memory, MB: peak", usage.peak],
        ["driver's memory, MB: second quarter, last quarter", memory],
    ]


def run_benchmark(arguments: list[str] | None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument(
        "--trials",
        type=int,
        metavar="N",
        default=32,
        help="real trials; 0 skips that study (default: 32)",
    )
    parser.add_argument(
        "--steps",
        type=positive,
        metavar="N",
        default=400,
        help="steps of a real trial (default: 400)",
    )
    parser.add_argument(
        "--empty",
        type=int,
        metavar="N",
        default=1000,
        help="empty trials; 0 skips that study (default: 1000)",
    )
    parser.add_argument(
        "--slots", type=positive, metavar="N", default=2, help="trials at once (default: 2)"
    )
    options = parser.parse(arguments)
    tables: dict[str, list[list[object]]] = {}
    shared = ["--max-concurrent", str(options.slots), "--optimize", "0", "--replicates", "0"]
    with tempfile.TemporaryDirectory(prefix="sweep benchmark ") as temporary:
        folder = Path(temporary)
        if options.trials:
            budget = ["--explore", str(options.trials), "--steps", str(options.steps)]
            usage = run_study(folder, "real", ["--space", "wide", *budget, *shared])
            tables["real trials"] = overhead_rows(folder / "real", usage, options.slots)
        if options.empty:
            scene = write_tiny_scene(folder / "tiny.npz")
            budget = ["--scene", str(scene), "--explore", str(options.empty), "--steps", "2"]
            usage = run_study(folder, "empty", [*budget, *TINY_TRIAL, *shared])
            tables["empty trials"] = overhead_rows(folder / "empty", usage, options.slots)
    for title, rows in tables.items():
        print_table(f"{title}, {options.slots} at once", ["figure", "value"], rows)
    save_json(options.json, "sweep", json.loads(json.dumps(tables, default=str)))
    return 0


def main(arguments: list[str] | None = None) -> int:
    return exit_status(lambda: run_benchmark(arguments))


if __name__ == "__main__":
    sys.exit(main())
