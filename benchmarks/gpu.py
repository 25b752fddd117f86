"""What a GPU makes of the training step: alone, beside the peer's modules, and packed with trials.

    python benchmarks/gpu.py [--peer PATH_TO_NERF_PYTORCH] [--scene LEGO --quality] [--json FILE]

Needs torch and numpy beside this project's `nerf/`. Steps are those of `TrainingRun`, captured as
CUDA graphs, with and without the grid of empty space. Packing trains K trials at once, each in its
own process on the same GPU, as Ray's fractions of a GPU do, and K in turns in one process, each
with its own graph; both are held against the same trials one after the other without graphs. Share
of peak counts the operations of the matrix products alone, against the same GPU's largest bfloat16
product.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch
from reporting import show, write
from step import SAMPLES, SHAPES, operations, theirs

from nerf.config.flat import Flat, build, with_suggested_bounds
from nerf.evaluation.evaluate import evaluate
from nerf.scenes import load
from nerf.training.loop import TrainingRun

SETTLE, STEPS, TURNS = 160, 200, 3
PAPER_DB = 32.54


def run_of(
    shape: str, rays: int, fine: int, occupancy: int, seed: int = 0, graphs: bool = True
) -> TrainingRun:
    """A run on the GPU with this network and these samples."""
    depth, width, skip = SHAPES[shape]
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


def steps_a_second(step: Callable[[], None], steps: int = STEPS, settle: int = SETTLE) -> float:
    """Once captures and the grid have settled."""
    for _ in range(settle):
        step()
    torch.cuda.synchronize()
    began = time.perf_counter()
    for _ in range(steps):
        step()
    torch.cuda.synchronize()
    return steps / (time.perf_counter() - began)


def peak() -> float:
    """Operations a second of the largest bfloat16 product that fits comfortably."""
    a, b = (torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16) for _ in range(2))

    def product() -> None:
        torch.mm(a, b)

    return steps_a_second(product, steps=500, settle=500) * 2 * 8192**3


def single(peer: Path | None, ceiling: float) -> list[list[object]]:
    """Rows for one trial at a time."""
    rows: list[list[object]] = []
    for shape, rays, fine in (("8x256", 1024, 128), ("8x256", 4096, 0), ("4x128", 1024, 0)):
        points = rays * (SAMPLES + SAMPLES + fine if fine else SAMPLES)
        sides: dict[str, Callable[[], None]] = {
            "ours": run_of(shape, rays, fine, 0).advance,
            "ours, empty space left out": run_of(shape, rays, fine, 32).advance,
        }
        if peer:
            sides["nerf-pytorch"] = on_gpu(partial(theirs, shape, rays, peer, fine, "cuda"))
        turns = [{name: steps_a_second(step) for name, step in sides.items()} for _ in range(TURNS)]
        for name in sides:
            speed = median(turn[name] for turn in turns)
            share = f"{operations(shape, points) * speed / ceiling:.0%}" if name == "ours" else ""
            rows.append([f"{shape}, {rays} x {SAMPLES}+{fine}", name, speed, rays * speed, share])
    return rows


def on_gpu(make: Callable[[], Callable[[], None]]) -> Callable[[], None]:
    """The peer's step with every tensor that it makes on the GPU, as its own main does it."""

    def under_cuda(call: Callable[[], Any]) -> Any:
        torch.set_default_tensor_type(torch.cuda.FloatTensor)
        try:
            return call()
        finally:
            torch.set_default_tensor_type(torch.FloatTensor)

    step = under_cuda(make)
    return lambda: under_cuda(step)


def _worker(seed: int, ready: Any, go: Any, done: Any) -> None:
    run = run_of("4x128", 256, 0, 32, seed)
    for _ in range(SETTLE):
        run.advance()
    torch.cuda.synchronize()
    ready.put(seed)
    go.wait()
    for _ in range(STEPS):
        run.advance()
    torch.cuda.synchronize()
    done.put(seed)


def in_processes(trials: int) -> float:
    """Steps a second of all trials together, a process each."""
    context = multiprocessing.get_context("spawn")
    ready, go, done = context.Queue(), context.Event(), context.Queue()
    workers = [
        context.Process(target=_worker, args=(seed, ready, go, done)) for seed in range(trials)
    ]
    for worker in workers:
        worker.start()
    for _ in workers:
        ready.get(timeout=300)  # a worker that died, for want of memory perhaps, never answers
    began = time.perf_counter()
    go.set()
    for _ in workers:
        done.get(timeout=300)
    taken = time.perf_counter() - began
    for worker in workers:
        worker.join()
    return trials * STEPS / taken


def in_turns(trials: int) -> float:
    """Steps a second of all trials together, one process, a stream and graphs each."""
    runs = [run_of("4x128", 256, 0, 32, seed) for seed in range(trials)]
    streams = [torch.cuda.Stream() for _ in runs]
    torch.cuda.synchronize()

    def all_once() -> None:
        for run, stream in zip(runs, streams, strict=True):
            with torch.cuda.stream(stream):
                run.advance()

    return trials * steps_a_second(all_once)


def one_after_the_other() -> float:
    """Steps a second of a trial alone on the GPU and without a graph: what packing is held to."""
    return steps_a_second(run_of("4x128", 256, 0, 32, graphs=False).advance)


def time_to(scene_path: str) -> list[list[object]]:
    """Seconds of training to the paper's figure on its scene's test views, whole."""
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
    reached = 0.0
    while reached < PAPER_DB and run.seconds < 1500:
        run.start_clock()
        for _ in range(500):
            run.advance()
        run.stop_clock()
        reached = evaluate(run.model, scene, "test", scene.width * scene.height * 25).psnr
        print(f"{run.steps_done} steps, {run.seconds:.0f} s: {reached:.2f} dB", flush=True)
    return [[PAPER_DB, f"{run.seconds:.0f}", run.steps_done, reached]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", type=Path, help="a checkout of nerf-pytorch")
    parser.add_argument("--scene", help="the full Lego scene, for --quality")
    parser.add_argument("--quality", action="store_true", help="time to the paper's PSNR too")
    parser.add_argument("--pack", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32])
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    if asked.quality and not asked.scene:
        parser.error("--quality needs --scene")
    if not torch.cuda.is_available():
        raise SystemExit("error: torch finds no GPU here; run this where it does")
    tables: dict[str, list[list[object]]] = {}
    ceiling = peak()
    tables["one trial"] = single(asked.peer, ceiling)
    columns = ["shape", "side", "steps/s", "rays/s", "share of bf16 peak"]
    show(f"one trial; peak {ceiling / 1e12:.0f} TFLOP/s", columns, tables["one trial"])
    eager = one_after_the_other()
    packed = [(k, in_processes(k), in_turns(k)) for k in asked.pack]
    tables["packed"] = [[k, a, a / eager, b, b / eager] for k, a, b in packed]
    columns = ["trials", "processes: steps/s", "x eager", "streams: steps/s", "x eager"]
    title = (
        f"trials packed, 4x128, 256 rays; one after the other without graphs: {eager:.3g} steps/s"
    )
    show(title, columns, tables["packed"])
    if asked.quality:
        tables["quality"] = time_to(asked.scene)
        show("time to the paper's figure", ["dB", "s", "steps", "reached"], tables["quality"])
    write(asked.json, "gpu", tables)


if __name__ == "__main__":
    main()
