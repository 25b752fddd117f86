"""Runs trained as one batch against the same runs one after another: steps per second.

    python benchmarks/packing.py --json packing.json

Both sides take turns in the same process, on a GPU if torch finds one (the runs alone as CUDA
graphs), otherwise on the CPU with fewer rays. A batch is nerf.training.batch. The operations of a
step are those that benchmarks/gpu_step.py has counted and written to gpu_step.json.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from reporting import benchmark_parser, positive, print_table, save_json

from nerf.common.command_line import exit_status
from nerf.config.flat import Flat, build, with_suggested_bounds
from nerf.scenes import load
from nerf.training.batch.run_batch import RunBatch
from nerf.training.run import TrainingRun

COUNTED = Path(__file__).with_name("gpu_step.json")

TURNS = 3
RAYS = {"cuda": 1024, "cpu": 64}
WARM_UP_STEPS = {"cuda": 160, "cpu": 3}
"""On a GPU until the graphs are captured and the occupancy grids are filled."""

TIMED_STEPS = {"cuda": 200, "cpu": 5}


def make_runs(size: int, occupancy: int, device: str) -> list[TrainingRun]:
    """Runs of a 4x128 network on bricks that differ in their seeds and learning rates."""
    scene = load("bricks")
    runs = []
    for seed in range(size):
        settings: Flat = {
            "optimisation.rays": RAYS[device],
            "optimisation.learning_rate": 2e-3 * (1 + seed / size),
            "optimisation.warm_up": 0,
            "optimisation.steps": 10_000,
            "compute.occupancy": occupancy,
            "seed": seed,
        }
        suggested = with_suggested_bounds(settings, scene.bounds.near, scene.bounds.far)
        runs.append(TrainingRun(build(suggested), scene, device))
    return runs


def member_steps_per_second(
    advance: Callable[[], None], runs: list[TrainingRun], steps: int
) -> float:
    """Steps of all runs together; `advance` takes one of each."""
    began = time.perf_counter()
    for _ in range(steps):
        advance()
    for run in runs:
        run.loss()  # waits for the device
    return len(runs) * steps / (time.perf_counter() - began)


def measure(size: int, occupancy: int, device: str) -> list[object]:
    """A table row for `size` runs."""
    alone, members = make_runs(size, occupancy, device), make_runs(size, occupancy, device)
    batch = RunBatch(size, device)
    for run in members:
        batch.add(run)

    def advance_alone() -> None:
        for run in alone:
            run.advance()

    sides = ((advance_alone, alone), (batch.advance, members))
    for advance, runs in sides:
        member_steps_per_second(advance, runs, WARM_UP_STEPS[device])
    turns = [
        [member_steps_per_second(advance, runs, TIMED_STEPS[device]) for advance, runs in sides]
        for _ in range(TURNS)
    ]
    for run in alone:
        run.release()
    batch.release()
    one_by_one, batched = (median(speeds) for speeds in zip(*turns, strict=True))
    ratio = median(together / apart for apart, together in turns)
    return [size, occupancy, one_by_one, batched, ratio]


def count_operations() -> list[list[object]]:
    """Table rows with the operations of a step on a GPU, as gpu_step.json has them."""
    rows: list[list[object]] = []
    for name, counted in json.loads(COUNTED.read_text())["batches"].items():
        size, _, network = name.partition(" x ")
        if network:
            step, draws = sum(counted["operations"].values()), counted["draw_operations"]
            rows.append([name, step, draws, step / int(size) + draws])
    return rows


def run_benchmark(arguments: list[str] | None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument(
        "--sizes",
        type=positive,
        nargs="+",
        default=[1, 4, 16],
        metavar="K",
        help="numbers of runs in a batch (default: 1 4 16)",
    )
    options = parser.parse(arguments)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu":
        print("not measured on a GPU: torch finds none; these are figures of the CPU")
    rows = [measure(size, cells, device) for cells in (0, 32) for size in options.sizes]
    columns = ["runs", "occupancy cells", "one by one: steps/s", "batched: steps/s", "ratio"]
    print_table(f"4x128, {RAYS[device]} rays, {device}", columns, rows)
    operations = count_operations()
    columns = ["batch", "operations of its step", "of a member's draws", "operations a member-step"]
    print_table("operations of a step on a GPU, counted on fake tensors", columns, operations)
    save_json(options.json, "packing", {"device": device, "speed": rows, "operations": operations})
    return 0


def main(arguments: list[str] | None = None) -> int:
    return exit_status(lambda: run_benchmark(arguments))


if __name__ == "__main__":
    sys.exit(main())
