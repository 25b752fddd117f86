"""How fast is a training step, and what share of the machine's own product does it reach?

    python benchmarks/step.py --peer PATH_TO_NERF_PYTORCH

Equal shapes on every side: the same rays, 64 samples on each, 10 and 4 octaves, one network, all
samples asked (no grid of empty space). The peer is nerf-pytorch's own network, embedder,
`run_network` and `raw2outputs` with its Adam. Products alone are the matrix products of our step
and nothing else, cut as our step is, as torch multiplies them here. That both sides train alike,
loss by loss, is shown by parity.py.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from parity import reference
from reporting import show, write

from nerf.config.flat import build
from nerf.scenes import load
from nerf.training.loop import TrainingRun
from nerf.training.ray_batches import TrainingRays
from nerf.training.step import SAMPLES_AT_ONCE

SAMPLES = 64
SHAPES = {"8x256": (8, 256, 5), "4x128": (4, 128, 0)}
NEAR, FAR = 2.0, 6.0


def ours(shape: str, rays: int, precision: str) -> Callable[[], None]:
    """A step of this project."""
    depth, width, skip = SHAPES[shape]
    settings = {
        "field.depth": depth,
        "field.width": width,
        "field.skip": skip,
        "encoding.position_frequencies": 10,
        "sampling.near": NEAR,
        "sampling.far": FAR,
        "sampling.coarse": SAMPLES,
        "optimisation.rays": rays,
        "compute.precision": precision,
        "compute.occupancy": 0,
    }
    return TrainingRun(build(settings), load("bricks")).advance


def theirs(
    shape: str, rays: int, peer: Path, fine: int = 0, device: str = "cpu"
) -> Callable[[], None]:
    """A step of nerf-pytorch's modules: its render_rays, MSE and Adam."""
    depth, width, skip = SHAPES[shape]
    helpers, functions = reference(peer)
    embed, position = helpers.get_embedder(10)
    embed_direction, direction = helpers.get_embedder(4)
    skips = [skip - 1] if skip else []
    network, second = (
        helpers.NeRF(D=depth, W=width, input_ch=position, input_ch_views=direction,
                     output_ch=5, skips=skips, use_viewdirs=True)
        for _ in range(2)
    )  # fmt: skip
    weights = [*network.parameters(), *(second.parameters() if fine else ())]
    optimiser = torch.optim.Adam(weights, lr=5e-4, betas=(0.9, 0.999))
    batch_of = TrainingRays.of(load("bricks"), device=device)
    generator = torch.Generator(device).manual_seed(0)

    def query(points: Any, views: Any, net: Any) -> Any:
        return functions["run_network"](points, views, net, embed, embed_direction)

    def step() -> None:
        batch = batch_of.draw(rays, generator)
        bounds = torch.tensor([NEAR, FAR], device=device).expand(rays, 2)
        toward = F.normalize(batch.directions, dim=-1)
        packed = torch.cat((batch.origins, batch.directions, bounds, toward), -1)
        shown = functions["render_rays"](
            packed, network, query, SAMPLES, perturb=1.0, N_importance=fine, network_fine=second
        )
        loss = torch.mean((shown["rgb_map"] - batch.rgb) ** 2)
        if fine:
            loss = loss + torch.mean((shown["rgb0"] - batch.rgb) ** 2)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return step


def layers(shape: str) -> list[tuple[int, int, bool]]:
    """Inputs, outputs and whether the inputs have a gradient, of each product of our network."""
    depth, width, skip = SHAPES[shape]
    encoded, toward, half = 63, 27, width // 2
    inputs = [encoded] + [width + (encoded if k == skip else 0) for k in range(1, depth)]
    trunk = [(n, width, n != encoded) for n in inputs]
    return [*trunk, (width, half + 1, True), (toward, half, False), (half, 3, True)]


def operations(shape: str, points: int) -> float:
    """Multiplications and additions of a step's matrix products, forward and backward."""
    return float(sum(2 * points * n * m * (2 + graded) for n, m, graded in layers(shape)))


def products(shape: str, points: int, dtype: torch.dtype) -> Callable[[], None]:
    """The matrix products of our step and nothing else."""

    def drawn(rows: int, columns: int) -> torch.Tensor:
        return torch.randn(rows, columns, dtype=dtype)

    tensors = [
        (drawn(points, n), drawn(m, n), drawn(points, m), graded) for n, m, graded in layers(shape)
    ]

    def run() -> None:
        for x, weight, gradient, graded in tensors:
            x @ weight.t()
            gradient.t() @ x
            if graded:
                gradient @ weight

    return run


def seconds(sides: dict[str, Callable[[], None]], repeats: int) -> dict[str, float]:
    """Median time of each, taken in turns."""
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for step in sides.values():
        step()
        step()
    for repeat in range(repeats):
        for name, step in sides.items():
            began = time.perf_counter()
            step()
            taken[name].append(time.perf_counter() - began)
        if sys.stdout.isatty():
            print(f"repeat {repeat + 1} of {repeats}", end="\r", flush=True)
    return {name: statistics.median(times) for name, times in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", type=Path, required=True, help="a checkout of nerf-pytorch")
    parser.add_argument("--rays", type=int, default=256)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    points = asked.rays * SAMPLES
    parts = -(-points // SAMPLES_AT_ONCE)
    rows: list[list[object]] = []
    for shape in SHAPES:
        sides = {
            "nerf-pytorch": theirs(shape, asked.rays, asked.peer),
            "ours, fp32": ours(shape, asked.rays, "fp32"),
            "ours, bf16": ours(shape, asked.rays, "bf16"),
            "products alone, fp32": products(shape, points // parts, torch.float32),
            "products alone, bf16": products(shape, points // parts, torch.bfloat16),
        }
        took = seconds(sides, asked.repeats)
        for name in took:
            took[name] *= parts if "alone" in name else 1
        for name, time_taken in took.items():
            roof = took["products alone, bf16" if "bf16" in name else "products alone, fp32"]
            rows.append(
                [
                    shape,
                    name,
                    f"{points / time_taken:,.0f}",
                    f"{took['nerf-pytorch'] / time_taken:.2f}",
                    f"{operations(shape, points) / time_taken / 1e9:.0f}",
                    f"{roof / time_taken:.0%}" if "ours" in name else "",
                ]
            )
    columns = ["network", "side", "samples/s", "x peer", "GFLOP/s of ours", "share of products"]
    title = f"training step, {asked.rays} rays x {SAMPLES} samples, {asked.threads} thread(s)"
    show(title, columns, rows)
    write(asked.json, "step", {"columns": columns, "rows": rows})


if __name__ == "__main__":
    main()
