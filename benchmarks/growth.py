"""How time and memory grow with trials, with trials at once and with rays, and what breaks first.

    python benchmarks/growth.py [--parts driver report ...] [--most 10000] [--json FILE]

Each measurement runs in a process of its own: processor seconds, and how far the memory in use rose
at its peak. The exponent is the slope of a straight line through the logarithms: 1 is linear, 2
quadratic. `driver` runs simulated trials, which train nothing, through the real trial manager,
ledger, records and view, without Ray; `open` is what `--resume` does before its first trial,
`status` what `study/status.py` reads, `storage` a pass of `--storage` over a folder that has not
changed, `report` the analysis and its page of 8 parameters, `optimiser` one proposal of TPE,
`at once` a driver of 1,000 trials by how many of them run, `scene` loading and preparing 800 x 800
views with alphas, and a batch of 1,024 rays.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from reporting import benchmark_parser, positive, print_table, save_json

from nerf.common.command_line import exit_status

Figures = dict[str, float]

TRIALS = (1_000, 3_000, 10_000, 30_000, 100_000)
AT_ONCE = (1, 10, 100, 1_000)
VIEWS = (3, 12, 50, 100)
"""Of 640,000 rays each: 1.9 to 64 million."""
OBJECTIVE = "parabolas"
"""Of 8 parameters."""

_ENLARGED = 4  # each rendered pixel becomes a square of so many a side
_BATCHES = 200


def measure_driver(trials: int) -> Figures:
    """A whole study of simulated trials, and what reads it afterwards."""
    from simulated.objectives import find_objective
    from simulated.simulate_driver import create_study, open_manager, run_all

    from study.ledger.journal import read_trials
    from study.monitor.progress import study_progress
    from study.storage.mirror import Mirror
    from study.storage.remote import Storage

    with tempfile.TemporaryDirectory() as temporary:
        meter = Meter()
        folder, spec = create_study(Path(temporary) / "study", find_objective(OBJECTIVE), trials)
        with open_manager(folder, spec) as manager:
            run_all(manager, at_once=8)
        figures = meter.read("driver")
        figures["driver, journal MB"] = folder.journal.stat().st_size / 1e6
        meter = Meter()
        with open_manager(folder, spec):
            figures["open, s"] = meter.seconds()
        meter = Meter()
        study_progress(read_trials(folder), spec)
        figures["status, s"] = meter.seconds()
        mirror = Mirror(folder.path, Storage(str(Path(temporary) / "copy")))
        mirror.sync()
        meter = Meter()
        mirror.sync()
        figures["storage, s"] = meter.seconds()
    return figures


def measure_report(trials: int) -> Figures:
    """The analysis and the page of a study without renders."""
    from simulated.objectives import find_objective
    from simulated.simulate_study import simulate_study

    from analysis.findings.analyze_study import analyze_study
    from analysis.pages.study_page import render_study_page

    study = simulate_study(find_objective(OBJECTIVE), trials, 0)
    meter = Meter()
    page = render_study_page(analyze_study(study))
    return meter.read("report") | {"report, page MB": len(page.encode()) / 1e6}


def measure_optimiser(trials: int) -> Figures:
    """One proposal after so many ended trials."""
    import optuna
    from simulated.objectives import find_objective

    from study.search.samplers import distribution, propose

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    dimensions = find_objective(OBJECTIVE).space.dimensions
    distributions = {d.path: distribution(d) for d in dimensions}
    rng = np.random.default_rng(0)
    study = optuna.create_study(direction="maximize")
    study.add_trials(
        optuna.trial.create_trial(
            params={d.path: d.from_unit(u) for d, u in zip(dimensions, point, strict=True)},
            distributions=distributions,
            value=float(point.sum()),
        )
        for point in rng.random((trials, len(dimensions)))
    )
    number = study.ask().number
    trial = study.get_trials()[number]
    meter = Meter()
    propose(study, trial, dimensions, seed=0)
    return meter.read("optimiser")


def measure_at_once(at_once: int) -> Figures:
    """A study of 1,000 simulated trials."""
    from simulated.objectives import find_objective
    from simulated.simulate_driver import create_study, open_manager, run_all

    with tempfile.TemporaryDirectory() as temporary:
        meter = Meter()
        folder, spec = create_study(Path(temporary) / "study", find_objective(OBJECTIVE), 1_000)
        with open_manager(folder, spec) as manager:
            run_all(manager, at_once)
        return meter.read("at once")


def measure_scene(views: int) -> Figures:
    """Loading, preparing and drawing from 800 x 800 views with alphas, in Blender's layout."""
    import torch
    from capture.lenses import Camera
    from capture.writing import numbered, shoot, write_blender

    from nerf.scenes import load
    from nerf.training.preparation import prepare
    from nerf.training.ray_batches import TrainingRays

    torch.set_num_threads(1)
    side = 800 // _ENLARGED
    with tempfile.TemporaryDirectory() as folder:
        shots = shoot(
            numbered("train/{:03d}.png", views),
            camera=Camera(side, side, (1.3 * side,) * 2),
            alpha=True,
        )
        shots.pixels = [p.repeat(_ENLARGED, 0).repeat(_ENLARGED, 1) for p in shots.pixels]
        shots.pictures.clear()
        write_blender(Path(folder), shots, {"train": range(views)})
        del shots
        meter = Meter()
        scene = load(folder)
        figures = meter.read("scene, load")
    meter = Meter()
    prepare(scene)
    figures |= meter.read("scene, prepare")
    meter = Meter()
    rays, generator = TrainingRays.of(scene), torch.Generator().manual_seed(0)
    figures |= meter.read("scene, rays")
    meter = Meter()
    for _ in range(_BATCHES):
        rays.draw(1024, generator)
    return figures | {"scene, batch ms": meter.seconds() / _BATCHES * 1e3}


class Meter:
    """Processor seconds, and the rise of the peak of memory, since it was made."""

    def __init__(self) -> None:
        # Linux resets the peak to what is in use now.
        Path("/proc/self/clear_refs").write_text("5")
        self._start, self._memory = time.process_time(), _peak_memory()

    def read(self, name: str) -> Figures:
        """Both, by the name of what was measured."""
        return {f"{name}, s": self.seconds(), f"{name}, MB": _peak_memory() - self._memory}

    def seconds(self) -> float:
        """Processor seconds alone: memory that was freed before hides a rise."""
        return time.process_time() - self._start


def _peak_memory() -> float:
    """Peak resident memory in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1e3


PARTS: dict[str, tuple[Callable[[int], Figures], Sequence[int], str]] = {
    "driver": (measure_driver, TRIALS, "trials"),
    "report": (measure_report, TRIALS, "trials"),
    "optimiser": (measure_optimiser, TRIALS, "trials"),
    "at once": (measure_at_once, AT_ONCE, "trials at once"),
    "scene": (measure_scene, VIEWS, "views of 640,000 rays"),
}
"""What is measured, at which sizes, and what the sizes count."""


def fit_exponent(sizes: Sequence[int], values: Sequence[float]) -> float:
    """Slope of log value over log size; NaN where a value is not above 0."""
    if len(sizes) < 2 or min(values) <= 0:
        return float("nan")
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def run_part(part: str, sizes: Sequence[int]) -> list[Figures]:
    """The figures at each size, each measured in a new process on one thread."""
    measure = PARTS[part][0]
    context = multiprocessing.get_context("spawn")
    results = []
    for size in sizes:
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            results.append(pool.submit(measure, size).result())
        print(f"{part}: {size:,} done, load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)
    return results


def list_rows(sizes: Sequence[int], results: Sequence[Figures]) -> Iterator[list[object]]:
    """A row for each figure: its value at each size, and the exponent."""
    for name in results[0]:
        values = [figures[name] for figures in results]
        yield [name, *values, fit_exponent(sizes, values)]


def main(arguments: list[str] | None = None) -> int:
    """Runs the command."""
    return exit_status(lambda: _run(arguments))


def _run(arguments: list[str] | None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument(
        "--parts",
        nargs="+",
        choices=PARTS,
        default=list(PARTS),
        help="what to measure (default: all)",
    )
    parser.add_argument(
        "--most", type=positive, default=10_000, help="most trials of a size (default: 10000)"
    )
    options = parser.parse(arguments)
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    tables: dict[str, list[list[object]]] = {}
    for part in options.parts:
        _, all_sizes, unit = PARTS[part]
        sizes = [s for s in all_sizes if unit != "trials" or s <= options.most]
        tables[part] = list(list_rows(sizes, run_part(part, sizes)))
        columns = [unit, *(f"{size:,}" for size in sizes), "exponent"]
        print_table(part, columns, tables[part])
    save_json(options.json, "growth", {"growth": tables})
    return 0


if __name__ == "__main__":
    sys.exit(main())
