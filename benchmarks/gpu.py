"""Training on a GPU: steps per second, several trials on one GPU, time to the paper's PSNR.

    python benchmarks/gpu.py --peer PATH_TO_NERF_PYTORCH --quality --scene PATH_TO_LEGO

--peer adds the step of nerf-pytorch, --quality the time to the paper's PSNR. Our steps are those of
`TrainingRun`, captured as CUDA graphs, with and without the occupancy grid. They multiply in
bfloat16, as a study does on such a GPU; nerf-pytorch in float32, as it has no other way.

Several trials share the GPU in two ways: each in its own process, as with Ray's GPU fractions, or
by turns in one process, each on its own stream. Both are compared with the same trials run one
after another without CUDA graphs. The share of peak counts only the operations of the matrix
products, relative to the speed of a large bfloat16 product on the same GPU.
"""

from __future__ import annotations

import math
import multiprocessing
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from queue import Empty
from statistics import median
from typing import Any

import torch
from reporting import benchmark_parser, positive, print_table, save_json
from step import NETWORKS, SAMPLES, Step, count_operations, peer_step

from nerf.common.command_line import exit_status
from nerf.common.errors import InputError
from nerf.config.flat import Flat, build, with_suggested_bounds
from nerf.evaluation.evaluate import evaluate
from nerf.scenes import load
from nerf.training.run import TrainingRun

WARM_UP_STEPS = 160
"""Steps before the clock starts: CUDA graphs are captured and the occupancy grid is filled."""

TIMED_STEPS = 200
TURNS = 3

PAPER_PSNR = 32.54
"""PSNR in dB that the NeRF paper, arXiv:2003.08934, reports for Lego."""

EVALUATE_EVERY = 500
"""Steps between two evaluations on the way to the paper's PSNR."""

QUICK_PIXELS = 200_000
"""Test pixels, on a grid over all views, of evaluations during training: rendering all would take
longer than the steps between two evaluations. The final evaluations are of all pixels."""

QUICK_MARGIN = 0.1
"""All pixels are evaluated once PSNR on the quick ones is within this many dB of the paper's."""

MAX_SECONDS_TO_PAPER_PSNR = 1500


def make_run(
    network: str, rays: int, fine: int, occupancy: int, seed: int = 0, graphs: bool = True
) -> TrainingRun:
    """A run on bricks with this network, these samples and this occupancy resolution (0: none)."""
    depth, width, skip = NETWORKS[network]
    settings: Flat = {
        "field.depth": depth,
        "field.width": width,
        "field.skip": skip,
        "encoding.position_frequencies": 10,
        "sampling.coarse": SAMPLES,
        "sampling.fine": fine,
        "optimisation.rays": rays,
        "optimisation.learning_rate": 5e-4,
        "optimisation.steps": 10_000,
        "compute.occupancy": occupancy,
        "compute.precision": "bf16",
        "compute.graphs": graphs,
        "seed": seed,
    }
    scene = load("bricks")
    return TrainingRun(
        build(with_suggested_bounds(settings, scene.bounds.near, scene.bounds.far)), scene, "cuda"
    )


def make_small_run(seed: int = 0, graphs: bool = True) -> TrainingRun:
    """A run as small as those that share a GPU."""
    return make_run("4x128", 256, 0, 32, seed, graphs)


def measure_speed(step: Step, timed: int = TIMED_STEPS, warm_up: int = WARM_UP_STEPS) -> float:
    """Steps per second after the warm-up."""
    for _ in range(warm_up):
        step()
    torch.cuda.synchronize()
    began = time.perf_counter()
    for _ in range(timed):
        step()
    torch.cuda.synchronize()
    return timed / (time.perf_counter() - began)


def measure_peak() -> float:
    """Operations per second of a large bfloat16 matrix product."""
    size = 8192
    a, b = (torch.randn(size, size, device="cuda", dtype=torch.bfloat16) for _ in range(2))

    def multiply() -> None:
        torch.mm(a, b)

    return measure_speed(multiply, timed=500, warm_up=500) * 2 * size**3


def measure_single_trials(checkout: Path | None, peak: float) -> list[list[object]]:
    """Table rows for one trial at a time."""
    rows: list[list[object]] = []
    for network, rays, fine in (("8x256", 1024, 128), ("8x256", 4096, 0), ("4x128", 1024, 0)):
        # A fine pass queries its own network at the coarse and the fine samples.
        queries = rays * (SAMPLES + SAMPLES + fine if fine else SAMPLES)
        sides: dict[str, Step] = {
            "ours, bfloat16": make_run(network, rays, fine, 0).advance,
            "ours, bfloat16, occupancy grid": make_run(network, rays, fine, 32).advance,
        }
        if checkout:
            sides["nerf-pytorch, float32"] = make_on_gpu(
                partial(peer_step, network, rays, checkout, fine, "cuda")
            )
        turns = [{name: measure_speed(step) for name, step in sides.items()} for _ in range(TURNS)]
        for name in sides:
            speed = median(turn[name] for turn in turns)
            # The grid changes the number of queries, and the peer is not ours to count.
            share = count_operations(network, queries) * speed / peak
            shown_share = f"{share:.0%}" if name == "ours, bfloat16" else ""
            shape = f"{network}, {rays} x {SAMPLES}+{fine}"
            rows.append([shape, name, speed, rays * speed, shown_share])
    return rows


def make_on_gpu(make: Callable[[], Step]) -> Step:
    """The step that `make` returns, with every tensor it creates on the GPU, as the peer's main."""

    def call_on_gpu(function: Callable[[], Any]) -> Any:
        torch.set_default_tensor_type(torch.cuda.FloatTensor)  # type: ignore[attr-defined]
        try:
            return function()
        finally:
            torch.set_default_tensor_type(torch.FloatTensor)

    step = call_on_gpu(make)
    return lambda: call_on_gpu(step)


def _train_when_started(seed: int, ready: Any, start: Any, done: Any) -> None:
    """The work of one process: warms up, waits for `start`, trains."""
    run = make_small_run(seed)
    for _ in range(WARM_UP_STEPS):
        run.advance()
    torch.cuda.synchronize()
    ready.put(seed)
    start.wait()
    for _ in range(TIMED_STEPS):
        run.advance()
    torch.cuda.synchronize()
    done.put(seed)


def await_replies(replies: Any, workers: Sequence[Any]) -> bool:
    """Waits for a reply from each process; False if one died first, perhaps out of memory."""
    missing = len(workers)
    while missing:
        died = any(worker.exitcode for worker in workers)
        try:
            replies.get(timeout=1)
            missing -= 1
        except Empty:
            if died:
                return False
    return True


def measure_processes(trials: int) -> float:
    """Steps per second of all trials together, one process each; NaN if a process dies."""
    context = multiprocessing.get_context("spawn")
    ready, start, done = context.Queue(), context.Event(), context.Queue()
    workers = [
        context.Process(target=_train_when_started, args=(seed, ready, start, done), daemon=True)
        for seed in range(trials)
    ]
    for worker in workers:
        worker.start()
    try:
        if not await_replies(ready, workers):
            return math.nan
        began = time.perf_counter()
        start.set()
        if not await_replies(done, workers):
            return math.nan
        return trials * TIMED_STEPS / (time.perf_counter() - began)
    finally:
        for worker in workers:
            worker.terminate()
            worker.join()


def measure_streams(trials: int) -> float:
    """Steps per second of all trials together, in one process with a stream for each."""
    runs = [make_small_run(seed) for seed in range(trials)]
    streams = [torch.cuda.Stream() for _ in runs]  # type: ignore[no-untyped-call]
    torch.cuda.synchronize()

    def step_all() -> None:
        for run, stream in zip(runs, streams, strict=True):
            with torch.cuda.stream(stream):
                run.advance()

    return trials * measure_speed(step_all)


def measure_without_graphs() -> float:
    """Steps per second of one trial alone, without CUDA graphs: the baseline for shared GPUs."""
    return measure_speed(make_small_run(graphs=False).advance)


def train_to_paper_psnr(scene_path: str) -> list[list[object]]:
    """A table row: seconds of training until all test views reach the paper's mean PSNR."""
    scene = load(scene_path)
    settings: Flat = {
        "field.depth": 8,
        "field.width": 256,
        "field.skip": 5,
        "encoding.position_frequencies": 10,
        "sampling.fine": 128,
        "optimisation.rays": 4096,
        "optimisation.learning_rate": 5e-4,
        "optimisation.steps": 100_000,
    }
    run = TrainingRun(
        build(with_suggested_bounds(settings, scene.bounds.near, scene.bounds.far)), scene, "cuda"
    )
    psnr = 0.0
    while psnr < PAPER_PSNR and run.seconds < MAX_SECONDS_TO_PAPER_PSNR:
        run.start_clock()
        for _ in range(EVALUATE_EVERY):
            run.advance()
        run.stop_clock()
        psnr = evaluate(run.model, scene, "test", QUICK_PIXELS).psnr
        if psnr >= PAPER_PSNR - QUICK_MARGIN:
            psnr = evaluate(run.model, scene, "test", scene.width * scene.height * 25).psnr
        print(f"{run.steps_done} steps, {run.seconds:.0f} s: {psnr:.2f} dB", flush=True)
    return [[PAPER_PSNR, f"{run.seconds:.0f}", run.steps_done, psnr]]


def run_benchmark(arguments: list[str] | None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--peer", type=Path, metavar="PATH", help="a checkout of nerf-pytorch")
    parser.add_argument(
        "--quality", action="store_true", help="also train to the paper's PSNR; needs --scene"
    )
    parser.add_argument("--scene", metavar="PATH", help="the full Lego scene, for --quality")
    parser.add_argument(
        "--trials",
        type=positive,
        nargs="+",
        default=[1, 2, 4, 8, 16, 32],
        metavar="N",
        help="numbers of trials to run at once (default: 1 2 4 8 16 32)",
    )
    options = parser.parse(arguments)
    if options.quality and not options.scene:
        raise InputError("--quality needs a scene; give the path of the full Lego with --scene")
    if not torch.cuda.is_available():
        raise InputError("torch finds no GPU; run this benchmark on a machine with one")
    tables: dict[str, list[list[object]]] = {}
    peak = measure_peak()
    tables["one trial"] = measure_single_trials(options.peer, peak)
    columns = ["network, rays x samples", "side", "steps/s", "rays/s", "share of bf16 peak"]
    print_table(f"one trial; peak {peak / 1e12:.0f} TFLOP/s", columns, tables["one trial"])
    baseline = measure_without_graphs()
    speeds = [(k, measure_processes(k), measure_streams(k)) for k in options.trials]
    tables["sharing"] = [[k, a, a / baseline, b, b / baseline] for k, a, b in speeds]
    columns = ["trials", "processes: steps/s", "x baseline", "streams: steps/s", "x baseline"]
    title = (
        "trials that share a GPU, 4x128, 256 rays; baseline, one after another without CUDA "
        f"graphs: {baseline:.3g} steps/s"
    )
    print_table(title, columns, tables["sharing"])
    if options.quality:
        tables["quality"] = train_to_paper_psnr(options.scene)
        columns = ["target dB", "s", "steps", "reached dB"]
        print_table("time to the paper's PSNR", columns, tables["quality"])
    save_json(options.json, "gpu", tables)
    return 0


def main(arguments: list[str] | None = None) -> int:
    return exit_status(lambda: run_benchmark(arguments))


if __name__ == "__main__":
    sys.exit(main())
