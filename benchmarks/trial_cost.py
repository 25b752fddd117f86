"""Where a study's processor time goes: the start of a worker, and the parts of a trial.

    python benchmarks/trial_cost.py --trials 8 --steps 400

Seconds of one thread, in a process that trains explored trials of a space as a worker does, one
after another, with checkpoints and renders but without Ray. The last lines count 32 trials in two
processes: the share of their time that is spent in training steps. `sweep.py` measures the same by
the clock, with Ray, on a machine that does nothing else.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, fields
from pathlib import Path

import imageio.v3 as imageio
import torch
from reporting import benchmark_parser, positive, print_table, save_json

from nerf.common.command_line import exit_status
from nerf.config.schema import NerfConfig
from nerf.scenes import load
from nerf.scenes.scene import Scene
from nerf.training.loop import TrainingLoop
from nerf.training.preparation import prepare
from nerf.training.run import TrainingRun
from study.search.sobol_design import explore_point, trial_seed
from study.spec.default_space import SPACES
from study.spec.study_space import study_space

TRIALS, PROCESSES = 32, 2
"""Of the study whose share is printed."""

IMPORTS = """
import time
import ray
from ray import tune
import study.worker.trainable
import nerf.training.loop
print(time.process_time())
"""
"""What a worker imports before its first trial; prints the seconds that it takes."""


@dataclass
class Parts:
    """Seconds of the parts of trials."""

    making: float = 0.0
    steps: float = 0.0
    between: float = 0.0
    """Checks of health, evaluations, checkpoints."""
    final: float = 0.0
    """Figures on validation and test views, and the render."""

    @property
    def total(self) -> float:
        return sum(getattr(self, field.name) for field in fields(self))


def time_trial(config: NerfConfig, scene: Scene, folder: Path) -> Parts:
    """Trains one configuration."""
    parts = Parts()
    began = time.process_time()
    run = TrainingRun(config, scene)
    loop = TrainingLoop(run, checkpoint=folder / "checkpoint.pt")
    parts.making = time.process_time() - began
    while not loop.is_finished:
        began = time.process_time()
        run.advance()
        advanced = time.process_time()
        loop.after_step()
        parts.steps += advanced - began
        parts.between += time.process_time() - advanced
    began = time.process_time()
    imageio.imwrite(folder / "render.png", run.result().image)
    parts.final = time.process_time() - began
    return parts


def measure_start() -> float:
    """Seconds of the imports of a worker."""
    printed = subprocess.run(
        [sys.executable, "-c", IMPORTS], capture_output=True, text=True, check=True
    )
    return float(printed.stdout)


def measure_trials(name: str, trials: int, steps: int) -> list[Parts]:
    """The parts of the first explored trials of a study of bricks with seed 0."""
    torch.set_num_threads(1)
    scene = prepare(load("bricks"))
    bounds = scene.bounds.near, scene.bounds.far
    space = study_space([], [], steps, name=name).with_scene_bounds(bounds)
    parts = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(trials):
            values = explore_point(space, 0, number, 4)
            config = space.config(values, trial_seed(0, number))
            parts.append(time_trial(config, scene, Path(folder)))
    return parts


def run_benchmark(arguments: list[str] | None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument(
        "--trials", type=positive, metavar="N", default=8, help="trials to run (default: 8)"
    )
    parser.add_argument(
        "--steps", type=positive, metavar="N", default=400, help="steps of each (default: 400)"
    )
    parser.add_argument("--space", choices=tuple(SPACES), default="wide", help="default: wide")
    options = parser.parse(arguments)
    start = measure_start()
    first, *others = measure_trials(options.space, options.trials, options.steps)
    trials = [first, *others]
    names = [field.name for field in fields(Parts)]
    mean = {n: sum(getattr(p, n) for p in trials) / len(trials) for n in names}
    whole = sum(mean.values())
    rows = [[n, getattr(first, n), mean[n], f"{mean[n] / whole:.1%}"] for n in names]
    title = f"seconds of CPU, {len(trials)} trials of {options.steps} steps, space {options.space}"
    print_table(title, ["part", "first trial", "mean", "share"], rows)
    study = TRIALS * whole + PROCESSES * start
    share = TRIALS * mean["steps"] / study
    print(f"start of a process: {start:.2f} s")
    print(f"in training steps, of {TRIALS} trials in {PROCESSES} processes: {share:.1%}")
    save_json(options.json, "trial_cost", {"start": start, "mean": mean, "share": share})
    return 0


def main(arguments: list[str] | None = None) -> int:
    return exit_status(lambda: run_benchmark(arguments))


if __name__ == "__main__":
    sys.exit(main())
