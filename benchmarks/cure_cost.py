"""Processor time of a training with each cure of benchmarks/cures.toml, over that without one.

    python benchmarks/cure_cost.py --scene bricks --scene fox

Cures take turns, so that a busy machine slows all of them alike. Runs are 300 steps of the default
density activation, which trains with and without a cure; no evaluation is in the time.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from statistics import median

import torch
from reporting import benchmark_parser, positive, print_table, save_json

from nerf.common.command_line import exit_status
from nerf.config.flat import Flat, build, with_suggested_bounds
from nerf.scenes import load
from nerf.scenes.scene import Scene
from nerf.training.run import TrainingRun
from study.spec.study_file import read_study_file

CURES = Path(__file__).with_name("cures.toml")
ACTIVATION = "shifted_softplus"
STEPS = 300


def read_cures() -> dict[str, Flat]:
    """The settings of each cure with the default density activation, by the cure's name."""
    variants = read_study_file(CURES)["variants"]
    named = {variant.name: dict(variant.settings) for variant in variants}
    suffix = f", {ACTIVATION}"
    return {name.removesuffix(suffix): s for name, s in named.items() if name.endswith(suffix)}


def time_run(settings: Flat, scene: Scene) -> float:
    """Processor seconds of `STEPS` steps at a study's default batch."""
    flat: Flat = {
        "field.width": 64,
        "sampling.coarse": 40,
        "optimisation.rays": 256,
        **settings,
        "optimisation.steps": STEPS,
    }
    run = TrainingRun(
        build(with_suggested_bounds(flat, scene.bounds.near, scene.bounds.far)), scene
    )
    began = time.process_time()
    for _ in range(STEPS):
        run.advance()
    return time.process_time() - began


def run_benchmark(arguments: list[str] | None) -> int:
    parser = benchmark_parser(__doc__)
    scene = "scene to train on (repeatable; default: bricks)"
    parser.add_argument("--scene", action="append", metavar="NAME|PATH", help=scene)
    parser.add_argument("--turns", type=positive, default=3, help="runs of each cure (default: 3)")
    options = parser.parse(arguments)
    torch.set_num_threads(1)
    cures = read_cures()
    rows: list[list[object]] = []
    for source in options.scene or ["bricks"]:
        scene = load(source)
        seconds: dict[str, list[float]] = {name: [] for name in cures}
        for _ in range(options.turns):
            for name, settings in cures.items():
                seconds[name].append(time_run(settings, scene))
        base = median(seconds["none"])
        for name, taken in seconds.items():
            rows.append([scene.name, name, median(taken), median(taken) / base])
        print(f"{scene.name}: done", flush=True)
    print_table(
        f"processor time of {STEPS} steps, median of {options.turns} turns",
        ["scene", "cure", "seconds", "over none"],
        rows,
    )
    save_json(options.json, "cure_cost", {"rows": rows})
    return 0


def main(arguments: list[str] | None = None) -> int:
    return exit_status(lambda: run_benchmark(arguments))


if __name__ == "__main__":
    sys.exit(main())
