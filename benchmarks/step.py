"""Speed of a training step: ours, nerf-pytorch's, and the matrix products of ours alone.

    python benchmarks/step.py --peer PATH_TO_NERF_PYTORCH

Every side has the same rays, 64 samples on each, 10 and 4 encoding frequencies and one network;
the field is queried at all samples (no occupancy grid). The peer is nerf-pytorch's own network,
embedder, `run_network` and `raw2outputs` with its Adam. "Matrix products" are those of our step and
nothing else, in batches of the same size, as torch computes them on this machine: an upper limit
for the step. parity.py shows that both sides train alike, loss by loss.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from parity import load_nerf_pytorch
from reporting import benchmark_parser, positive, print_table, save_json

from nerf.common.command_line import exit_status
from nerf.config.flat import build
from nerf.config.parameters import Value
from nerf.scenes import load
from nerf.training.ray_batches import TrainingRays
from nerf.training.run import TrainingRun
from nerf.training.step import TRAINING_CHUNK_SAMPLES

SAMPLES = 64
"""Samples on each ray."""

NETWORKS = {"8x256": (8, 256, 5), "4x128": (4, 128, 0)}
"""Depth, width and layer of the skip connection (0: none) of each network."""

NEAR, FAR = 2.0, 6.0

Step = Callable[[], None]


def our_step(network: str, rays: int, precision: str) -> Step:
    """A training step of this project."""
    depth, width, skip = NETWORKS[network]
    settings: dict[str, Value] = {
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


def peer_step(network: str, rays: int, checkout: Path, fine: int = 0, device: str = "cpu") -> Step:
    """A training step of nerf-pytorch's modules: its render_rays, MSE and Adam."""
    depth, width, skip = NETWORKS[network]
    helpers, functions = load_nerf_pytorch(checkout)
    embed, position = helpers.get_embedder(10)
    embed_direction, direction = helpers.get_embedder(4)
    skips = [skip - 1] if skip else []
    coarse_net, fine_net = (
        helpers.NeRF(
            D=depth,
            W=width,
            input_ch=position,
            input_ch_views=direction,
            output_ch=5,
            skips=skips,
            use_viewdirs=True,
        )
        for _ in range(2)
    )
    weights = [*coarse_net.parameters(), *(fine_net.parameters() if fine else ())]
    optimiser = torch.optim.Adam(weights, lr=5e-4, betas=(0.9, 0.999))
    training_rays = TrainingRays.of(load("bricks"), device=device)
    generator = torch.Generator(device).manual_seed(0)

    def query(points: Any, views: Any, net: Any) -> Any:
        return functions["run_network"](points, views, net, embed, embed_direction)

    def step() -> None:
        batch = training_rays.draw(rays, generator)
        bounds = torch.tensor([NEAR, FAR], device=device).expand(rays, 2)
        unit_directions = F.normalize(batch.directions, dim=-1)
        packed = torch.cat((batch.origins, batch.directions, bounds, unit_directions), -1)
        rendered = functions["render_rays"](
            packed,
            coarse_net,
            query,
            SAMPLES,
            perturb=1.0,
            N_importance=fine,
            network_fine=fine_net,
        )
        loss = torch.mean((rendered["rgb_map"] - batch.rgb) ** 2)
        if fine:
            loss = loss + torch.mean((rendered["rgb0"] - batch.rgb) ** 2)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    return step


def layer_shapes(network: str) -> list[tuple[int, int, bool]]:
    """Inputs, outputs and whether the inputs need a gradient, of each layer of our network."""
    depth, width, skip = NETWORKS[network]
    # 3 + 2 * 3 * 10 encoded coordinates, 3 + 2 * 3 * 4 encoded components of the direction
    position, direction, half = 63, 27, width // 2
    inputs = [position] + [width + (position if k == skip else 0) for k in range(1, depth)]
    trunk = [(n, width, n != position) for n in inputs]
    return [*trunk, (width, half + 1, True), (direction, half, False), (half, 3, True)]


def count_operations(network: str, samples: int) -> float:
    """Multiplications and additions of a step's matrix products, forward and backward.

    A layer of n inputs and m outputs takes 2nm operations a sample forward, as many for the
    gradient of its weights, and as many again where its inputs need a gradient.
    """
    return float(
        sum(2 * samples * n * m * (2 + needs_grad) for n, m, needs_grad in layer_shapes(network))
    )


def matrix_products(network: str, samples: int, dtype: torch.dtype) -> Step:
    """The matrix products of our step, forward and backward, and nothing else."""

    def random(rows: int, columns: int) -> torch.Tensor:
        return torch.randn(rows, columns, dtype=dtype)

    layers = [
        (random(samples, n), random(m, n), random(samples, m), needs_grad)
        for n, m, needs_grad in layer_shapes(network)
    ]

    def step() -> None:
        for x, weight, gradient, needs_grad in layers:
            x @ weight.t()
            gradient.t() @ x
            if needs_grad:
                gradient @ weight

    return step


def time_in_turns(sides: dict[str, Step], repeats: int) -> dict[str, float]:
    """Median seconds of each side's step. Sides alternate, so a slow phase slows all of them."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    for step in sides.values():  # warm up
        step()
        step()
    for repeat in range(repeats):
        for name, step in sides.items():
            began = time.perf_counter()
            step()
            times[name].append(time.perf_counter() - began)
        if sys.stdout.isatty():
            print(f"repeat {repeat + 1} of {repeats}", end="\r", flush=True)
    return {name: statistics.median(taken) for name, taken in times.items()}


def measure(network: str, rays: int, checkout: Path, repeats: int) -> list[list[object]]:
    """A row of the table for each side."""
    samples = rays * SAMPLES
    # Our step works on at most TRAINING_CHUNK_SAMPLES samples at once, and so do the bare products.
    parts = -(-samples // TRAINING_CHUNK_SAMPLES)
    seconds = time_in_turns(
        {
            "nerf-pytorch": peer_step(network, rays, checkout),
            "ours, fp32": our_step(network, rays, "fp32"),
            "ours, bf16": our_step(network, rays, "bf16"),
            "matrix products, fp32": matrix_products(network, samples // parts, torch.float32),
            "matrix products, bf16": matrix_products(network, samples // parts, torch.bfloat16),
        },
        repeats,
    )
    for precision in ("fp32", "bf16"):
        seconds[f"matrix products, {precision}"] *= parts
    rows: list[list[object]] = []
    for side, taken in seconds.items():
        limit = seconds["matrix products, bf16" if "bf16" in side else "matrix products, fp32"]
        rows.append(
            [
                network,
                side,
                f"{samples / taken:,.0f}",
                f"{seconds['nerf-pytorch'] / taken:.2f}",
                f"{count_operations(network, samples) / taken / 1e9:.0f}",
                f"{limit / taken:.0%}" if side.startswith("ours") else "",
            ]
        )
    return rows


def run_benchmark(arguments: list[str] | None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument(
        "--peer", type=Path, required=True, metavar="PATH", help="a checkout of nerf-pytorch"
    )
    parser.add_argument(
        "--rays", type=positive, metavar="N", default=256, help="rays per step (default: 256)"
    )
    parser.add_argument(
        "--threads", type=positive, metavar="N", default=1, help="torch threads (default: 1)"
    )
    parser.add_argument(
        "--repeats",
        type=positive,
        metavar="N",
        default=9,
        help="timed steps of each side (default: 9)",
    )
    options = parser.parse(arguments)
    torch.set_num_threads(options.threads)
    rows = [
        row
        for network in NETWORKS
        for row in measure(network, options.rays, options.peer, options.repeats)
    ]
    columns = ["network", "side", "samples/s", "x peer", "GFLOP/s", "share of products' speed"]
    title = f"training step, {options.rays} rays x {SAMPLES} samples, {options.threads} thread(s)"
    print_table(title, columns, rows)
    save_json(options.json, "step", {"columns": columns, "rows": rows})
    return 0


def main(arguments: list[str] | None = None) -> int:
    return exit_status(lambda: run_benchmark(arguments))


if __name__ == "__main__":
    sys.exit(main())
