"""Training time until a held-out PSNR is reached, beside minimal-nerf, nerf-pytorch and TensoRF.

    python benchmarks/time_to_psnr.py --scene tiny_lego.npz \\
        --minimal-nerf PATH --nerf-pytorch PATH --tensorf PATH --limit 400
    python benchmarks/time_to_psnr.py --scene bricks --targets 22 25 --sides voxels fast hash

Every side trains on the same training views between the same near and far. From time to time its
clock stops and the PSNR of the same held-out pixels is computed. The peers run at their own
defaults: minimal-nerf with its module, data set, near, far and loader, nerf-pytorch with its
network, rays and renderer and the loop and settings of its lego config, TensoRF with its model and
the loop and settings of its lego config, and a second time with a smaller grid and fewer rays.

All sides take turns, --repeats times, each time with another seed; the table holds medians. A side
that misses a target within --limit seconds of CPU time counts as slower than that and gets no
further turn. "voxels" is train.py --fast. "plain" is our loop at the settings of "fast" in float32
and without the occupancy grid: the difference is the gain of the fast path.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from reporting import benchmark_parser, positive, print_table, save_json
from tensorf_side import LEGO_CONFIG, SMALL
from timed_sides import Side, minimal_nerf_side, nerf_pytorch_side, our_side, tensorf_side

from nerf.common.command_line import exit_status
from nerf.config.presets import FAST as VOXELS
from nerf.scenes import load
from nerf.scenes.scene import Scene

HASH_GRIDS = {
    "encoding.kind": "hash",
    "field.depth": 2,
    "field.width": 64,
    "optimisation.learning_rate": 2e-2,
    "optimisation.rays": 256,
    "sampling.coarse": 48,
    "optimisation.steps": 1000,
}
DENSE_GRIDS = HASH_GRIDS | {"encoding.kind": "grid"}
FAST = {"optimisation.steps": 4000, "optimisation.learning_rate": 5e-3}
PLAIN = FAST | {"compute.precision": "fp32", "compute.occupancy": 0}

OURS = {"voxels": VOXELS, "hash": HASH_GRIDS, "grid": DENSE_GRIDS, "fast": FAST, "plain": PLAIN}
"""Settings of our sides by their names."""

EVALUATE_EVERY = {"voxels": 5, "hash": 10, "grid": 10, "fast": 20, "plain": 20}
"""Steps between two evaluations."""

TARGETS = [20.0, 22.0, 25.0]
"""Held-out PSNR in dB whose time is measured, unless --targets are given."""

MakeSide = Callable[[int], Side]
"""Returns a side for a seed."""


@dataclasses.dataclass(frozen=True)
class Reached:
    """What training took until a target was first reached; evaluations are not counted."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds of CPU time, over all threads."""
    steps: int


Times = dict[tuple[str, float], list[Reached | None]]
"""By side and target in dB: one entry per turn, None where the target was missed."""


def train_to(side: Side, targets: list[float], limit: float, name: str) -> list[Reached | None]:
    """Trains until all targets (dB) or `limit` (seconds of CPU time) are reached."""
    reached: dict[float, Reached] = {}
    wall = cpu = 0.0
    steps, best = 0, -math.inf
    while len(reached) < len(targets) and cpu < limit:
        began, began_cpu = time.perf_counter(), time.process_time()
        for _ in range(side.evaluate_every):
            side.step()
        wall += time.perf_counter() - began
        cpu += time.process_time() - began_cpu
        steps += side.evaluate_every
        best = max(best, side.psnr())
        for target in targets:
            if best >= target:
                reached.setdefault(target, Reached(wall, cpu, steps))
        if sys.stdout.isatty():
            print(f"{name}: {steps} steps, {wall:.0f} s, {best:.2f} dB   ", end="\r", flush=True)
    print(f"{name}: {steps} steps, {cpu:.1f} s of CPU, {best:.2f} dB   ", flush=True)
    return [reached.get(target) for target in targets]


def take_turns(
    sides: dict[str, MakeSide], targets: list[float], repeats: int, limit: float
) -> Times:
    """Trains every side in turn, so that what slows the machine for a while slows all of them."""
    times: Times = {(name, target): [] for name in sides for target in targets}
    for turn in range(repeats):
        for name, make_side in sides.items():
            if any(None in times[name, target] for target in targets):
                continue
            reached = train_to(make_side(turn), targets, limit, name)
            for target, result in zip(targets, reached, strict=True):
                times[name, target].append(result)
    return times


def table_row(name: str, target: float, turns: list[Reached | None], limit: float) -> list[object]:
    """Medians over the turns, and the range of CPU seconds."""
    reached = [turn for turn in turns if turn]
    if len(reached) < len(turns):
        return [name, target, len(turns), "", f"> {limit:.0f}", "", ""]
    wall = float(np.median([turn.wall for turn in reached]))
    cpu = [turn.cpu for turn in reached]
    steps = int(np.median([turn.steps for turn in reached]))
    cpu_range = f"{min(cpu):.1f} .. {max(cpu):.1f}"
    median_cpu = float(np.median(cpu))
    return [name, target, len(turns), f"{wall:.1f}", f"{median_cpu:.1f}", cpu_range, steps]


def speedup(times: Times, fast: str, slow: str, target: float, limit: float) -> str:
    """Ratio of the median CPU seconds; a lower bound where `slow` missed the target."""

    def median(name: str) -> float:
        return float(np.median([turn.cpu if turn else math.inf for turn in times[name, target]]))

    slow_median = median(slow)
    ratio = min(slow_median, limit) / median(fast)
    return f"{'more than ' if math.isinf(slow_median) else ''}{ratio:.3g}"


def parse_options(arguments: list[str] | None) -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument(
        "--scene", required=True, metavar="bricks|tiny-lego|PATH", help="scene to train on"
    )
    parser.add_argument(
        "--sides", nargs="+", choices=list(OURS), default=list(OURS), help="ours (default: all)"
    )
    parser.add_argument(
        "--targets",
        nargs="+",
        type=float,
        metavar="DB",
        default=TARGETS,
        help=f"held-out PSNR to reach (default: {' '.join(f'{target:g}' for target in TARGETS)})",
    )
    for peer in ("minimal-nerf", "nerf-pytorch", "tensorf"):
        parser.add_argument(f"--{peer}", type=Path, metavar="PATH", help="a checkout to compare")
    parser.add_argument(
        "--limit",
        type=float,
        metavar="SECONDS",
        default=900.0,
        help="CPU time after which a side stops training (default: 900)",
    )
    parser.add_argument(
        "--repeats", type=positive, metavar="N", default=3, help="turns of each side (default: 3)"
    )
    parser.add_argument(
        "--threads", type=positive, metavar="N", default=2, help="torch threads (default: 2)"
    )
    return parser.parse(arguments)


def make_sides(options: argparse.Namespace, scene: Scene) -> dict[str, MakeSide]:
    """What takes turns, by its name: our sides first."""

    def ours(name: str) -> MakeSide:
        return lambda seed: our_side(scene, OURS[name], EVALUATE_EVERY[name], seed)

    sides = {name: ours(name) for name in options.sides}
    if options.minimal_nerf:
        sides["minimal-nerf"] = functools.partial(minimal_nerf_side, scene, options.minimal_nerf)
    if options.nerf_pytorch:
        sides["nerf-pytorch"] = functools.partial(nerf_pytorch_side, scene, options.nerf_pytorch)
    if options.tensorf:
        for name, size in (("TensoRF", LEGO_CONFIG), ("TensoRF, small", SMALL)):
            sides[name] = functools.partial(tensorf_side, scene, options.tensorf, size)
    return sides


def run_benchmark(arguments: list[str] | None) -> int:
    options = parse_options(arguments)
    torch.set_num_threads(options.threads)
    sides = make_sides(options, load(options.scene))
    times = take_turns(sides, options.targets, options.repeats, options.limit)
    rows = [
        table_row(name, target, turns, options.limit) for (name, target), turns in times.items()
    ]
    columns = ["side", "dB", "turns", "wall s", "CPU s", "CPU s, range", "steps"]
    print_table(f"training time to held-out PSNR, {options.threads} threads", columns, rows)
    first, *others = sides
    reached = [target for target in options.targets if None not in times[first, target]]
    faster = [
        [first, other, target, speedup(times, first, other, target, options.limit)]
        for other in others
        for target in reached
    ]
    if faster:
        print_table("speedup in CPU time", ["side", "over", "dB", "times"], faster)
    figures = {"columns": columns, "rows": rows, "faster": faster, "limit": options.limit}
    save_json(options.json, "time_to_psnr", figures)
    return 0


def main(arguments: list[str] | None = None) -> int:
    return exit_status(lambda: run_benchmark(arguments))


if __name__ == "__main__":
    sys.exit(main())
