"""What 80 views of 800 x 800 cost each trial before its first step, and a rendered view.

    python benchmarks/captures_cost.py [--train-steps 150]

writes the views of benchmarks/capture/world.py with an alpha channel in Blender's layout, loads and
prepares them as a study's driver does, and starts trials in two worker processes of Ray, as many in
each as --trials: processor seconds and private memory from the scene's reference to a run that is
ready for its first step. Then it trains one run for --train-steps, which fills its occupancy grid,
and renders a whole view on --threads threads; with few steps the grid skips nothing, and the view
takes minutes.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import ray
import torch
from capture.lenses import Camera
from capture.writing import numbered, shoot, write_blender
from reporting import benchmark_parser, positive, print_table, save_json

from nerf.common.command_line import exit_status
from nerf.config.flat import build, with_suggested_bounds
from nerf.config.schema import NerfConfig
from nerf.evaluation.evaluate import render_view
from nerf.scenes import load
from nerf.scenes.scene import Scene
from nerf.training.preparation import prepare
from nerf.training.run import TrainingRun

SIZE, ENLARGED = 200, 4
"""Rendered pixels a side, and how many pixels of the picture each becomes."""

OBJECT_STORE_BYTES = 2 * 10**9


def main(arguments: list[str] | None = None) -> int:
    """Runs the command."""
    return exit_status(lambda: _run(arguments))


def _run(arguments: list[str] | None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument(
        "--views", type=positive, default=80, help="views of the capture (default: 80)"
    )
    parser.add_argument(
        "--trials", type=positive, default=3, help="trials of each worker (default: 3)"
    )
    steps = "training steps before the view is rendered (default: 150)"
    parser.add_argument("--train-steps", type=positive, default=150, help=steps)
    threads = "threads that render the view (default: 2)"
    parser.add_argument("--threads", type=positive, default=2, help=threads)
    options = parser.parse(arguments)
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder), options.views)
        began = _now()
        scene = load(folder)
        loaded = _since(began)
    began = _now()
    prepare(scene)
    rows: list[tuple[object, ...]] = [("load", *loaded), ("prepare, once a launch", *_since(began))]
    for worker, trials in enumerate(_in_workers(scene, options.trials)):
        rows += [(f"worker {worker}, trial {index}", *t) for index, t in enumerate(trials)]
    columns = ("what", "seconds", "processor seconds", "private memory, GB")
    print_table(f"{scene.summary}; load {os.getloadavg()[0]:.1f}", columns, rows)
    views = _render(scene, options.train_steps, options.threads)
    columns = ("a whole view", "seconds", "processor seconds", "peak memory, GB more")
    print_table(f"{options.threads} threads; load {os.getloadavg()[0]:.1f}", columns, views)
    save_json(options.json, "captures_cost", {"costs": rows, "views": views})
    return 0


def _write(folder: Path, views: int) -> None:
    camera = Camera(SIZE, SIZE, (1.3 * SIZE,) * 2)
    shots = shoot(numbered("train/{:03d}.png", views), camera=camera, alpha=True)
    shots.pixels = [p.repeat(ENLARGED, 0).repeat(ENLARGED, 1) for p in shots.pixels]
    shots.pictures.clear()
    write_blender(folder, shots, {"train": range(views)})


def _now() -> tuple[float, float, float]:
    """Seconds of the clock and of the processor, and private memory in GB."""
    return time.perf_counter(), time.process_time(), _private_memory()


def _since(began: tuple[float, float, float]) -> tuple[float, ...]:
    return tuple(after - before for after, before in zip(_now(), began, strict=True))


def _private_memory() -> float:
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    sizes = {line.split(":")[0]: line.split()[1] for line in lines if line.endswith("kB")}
    return (int(sizes["Private_Clean"]) + int(sizes["Private_Dirty"])) / 1e6


def _config(scene: Scene, seed: int) -> NerfConfig:
    settings = {"optimisation.steps": 300, "seed": seed}
    return build(with_suggested_bounds(settings, scene.bounds.near, scene.bounds.far))


def _in_workers(scene: Scene, trials: int) -> list[list[tuple[float, ...]]]:
    """What the trials of two worker processes cost, of which the first of each starts cold."""
    root = str(Path(__file__).resolve().parents[1])
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        object_store_memory=OBJECT_STORE_BYTES,
        runtime_env={"env_vars": {"OMP_NUM_THREADS": "1", "PYTHONPATH": root}},
    )

    @ray.remote(num_cpus=1)
    class Worker:
        def start(self, reference: list[Any], seeds: int) -> list[tuple[float, ...]]:
            torch.set_num_threads(1)
            costs = []
            for seed in range(seeds):
                began = _now()
                scene = ray.get(reference[0])
                TrainingRun(_config(scene, seed), scene)
                costs.append(_since(began))
            return costs

    reference = [ray.put(scene)]
    results = []
    for _ in range(2):
        worker = Worker.remote()
        results.append(ray.get(worker.start.remote(reference, trials)))
        ray.kill(worker)
    ray.shutdown()
    return results


def _render(scene: Scene, steps: int, threads: int) -> list[tuple[object, ...]]:
    """What a whole view costs with the occupancy grid."""
    torch.set_num_threads(threads)
    run = TrainingRun(_config(scene, 0), scene)
    for _ in range(steps):
        run.advance()
    peak, began = _peak_memory(), _now()
    render_view(run.model, scene, scene.val[0])
    wall, cpu, _ = _since(began)
    return [(f"{scene.width} x {scene.height}", wall, cpu, _peak_memory() - peak)]


def _peak_memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    sys.exit(main())
