"""How long until a held-out picture is good? Against the loops of two other projects.

    python benchmarks/time_to_psnr.py --scene tiny_nerf_data.npz \\
        --minimal-nerf PATH --nerf-pytorch PATH --limit 900

Each side trains on the same training views and is asked now and then, its clock stopped, for the
same held-out pixels. The peers run at their own defaults: minimal-nerf's module, data set and
loader (needs pytorch_lightning), nerf-pytorch's network, rays and renderer with the loop and the
settings of its lego config. All sides take turns, --repeats times, each with another seed; the
table holds medians. A side that does not get there within --limit seconds of processor time counts
as slower than that, and is not asked again.
`plain` is this project's loop at the same settings as `ours, fast`, in float32 and asking
everywhere: what the fast path alone is worth.
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
from types import ModuleType
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from parity import reference
from reporting import show, write

from nerf.config.flat import build
from nerf.scenes import load
from nerf.scenes.cameras.pixel_rays import view_pixels
from nerf.scenes.scene import Scene
from nerf.training.loop import TrainingRun

STRIDE = 4
PEER_NEAR, PEER_FAR = 2.0, 6.0

QUICKEST = {
    "encoding.kind": "hash",
    "field.depth": 2,
    "field.width": 64,
    "optimisation.learning_rate": 2e-2,
    "optimisation.rays": 256,
    "sampling.coarse": 48,
    "optimisation.steps": 1000,
}
FAST = {"optimisation.steps": 4000, "optimisation.learning_rate": 5e-3}
PLAIN = FAST | {"compute.precision": "fp32", "compute.occupancy": 0}


@dataclasses.dataclass(frozen=True)
class Side:
    """One way to train: a step, how good its held-out pixels are, how often to look."""

    step: Callable[[], None]
    psnr: Callable[[], float]
    every: int


def ours(scene: Scene, settings: dict[str, Any], every: int, seed: int) -> Side:
    """This project with these settings."""
    bounds = {"sampling.near": scene.bounds.near, "sampling.far": scene.bounds.far}
    pixels = {"evaluation.pixels": len(scene.val) * (scene.height // STRIDE) ** 2}
    run = TrainingRun(build(bounds | pixels | settings | {"seed": seed}), scene)
    return Side(run.advance, lambda: run.evaluate().psnr, every)


def held_out(scene: Scene, render: Callable[[int], torch.Tensor]) -> float:
    """Mean PSNR, dB, over validation views of which `render` shows every `STRIDE`-th pixel."""
    scores = []
    for view in scene.val:
        truth = torch.tensor(view_pixels(scene, view, STRIDE))
        error = torch.mean((render(view).clamp(0, 1) - truth) ** 2).item()
        scores.append(-10 * math.log10(error))
    return float(np.mean(scores))


def nerf_pytorch(scene: Scene, peer: Path, seed: int) -> Side:
    """Its lego config: 1,024 rays of one view a step, 64 + 128 samples, two 8 x 256 networks."""
    helpers, functions = reference(peer)
    torch.manual_seed(seed)
    embed, position = helpers.get_embedder(10)
    embed_direction, direction = helpers.get_embedder(4)
    coarse, fine = (
        helpers.NeRF(D=8, W=256, input_ch=position, input_ch_views=direction,
                     output_ch=5, skips=[4], use_viewdirs=True)
        for _ in range(2)
    )  # fmt: skip
    optimiser = torch.optim.Adam([*coarse.parameters(), *fine.parameters()], lr=5e-4)
    rng, done = np.random.default_rng(seed), 0

    def query(points: Any, views: Any, network: Any) -> Any:
        return functions["run_network"](points, views, network, embed, embed_direction)

    def rays(view: int) -> tuple[torch.Tensor, torch.Tensor]:
        pose = torch.tensor(scene.world_from_camera[view, :3, :4])
        fx, fy = scene.focal[view] if np.ndim(scene.focal) > 1 else scene.focal
        intrinsics = np.array([[fx, 0, scene.width / 2], [0, fy, scene.height / 2], [0, 0, 1]])
        origins, directions = helpers.get_rays(scene.height, scene.width, intrinsics, pose)
        return origins, directions

    def shown(origins: torch.Tensor, directions: torch.Tensor, perturb: float) -> Any:
        bounds = torch.tensor([PEER_NEAR, PEER_FAR]).expand(len(origins), 2)
        packed = torch.cat((origins, directions, bounds, F.normalize(directions, dim=-1)), -1)
        return functions["render_rays"](
            packed, coarse, query, 64, perturb=perturb, N_importance=128, network_fine=fine
        )

    def step() -> None:
        nonlocal done
        view = int(rng.choice(scene.train))
        origins, directions = rays(view)
        picked = rng.choice(scene.height * scene.width, size=1024, replace=False)
        target = torch.tensor(scene.images[view]).reshape(-1, 3)[picked]
        seen = shown(origins.reshape(-1, 3)[picked], directions.reshape(-1, 3)[picked], 1.0)
        optimiser.zero_grad()
        loss = helpers.img2mse(seen["rgb_map"], target) + helpers.img2mse(seen["rgb0"], target)
        loss.backward()
        optimiser.step()
        done += 1
        for group in optimiser.param_groups:
            group["lr"] = 5e-4 * 0.1 ** (done / 500_000)

    def picture(view: int) -> torch.Tensor:
        origins, directions = (side[::STRIDE, ::STRIDE] for side in rays(view))
        with torch.no_grad():
            flat = shown(origins.reshape(-1, 3), directions.reshape(-1, 3), 0.0)["rgb_map"]
        return flat.reshape(origins.shape)

    return Side(step, lambda: held_out(scene, picture), 5)


def minimal_nerf(scene: Scene, peer: Path, seed: int) -> Side:
    """Its module, data set and loader (4,096 rays, 64 samples, 4 x 128), stepped as Lightning does.

    Lightning's own overhead is left out, which favours it. It trains on every view there is; here
    it gets the training views only.
    """
    sys.path.insert(0, str(peer))
    import minimal_nerf.datasets.tiny_nerf_dataset as data
    import minimal_nerf.nerf as model

    arrays = {
        "images": scene.images[list(scene.train)],
        "poses": scene.world_from_camera[list(scene.train)],
        "focal": np.float32(np.ravel(scene.focal)[0]),
    }
    _named(data).load_tiny_data = lambda: arrays
    torch.manual_seed(seed)
    nerf = model.NeRF()
    nerf.log = lambda *_: None
    optimiser = nerf.configure_optimizers()
    loader = torch.utils.data.DataLoader(data.TinyNerfDataset(), batch_size=4096, shuffle=True)
    batches = iter(loader)

    def step() -> None:
        nonlocal batches
        batch = next(batches, None)
        if batch is None:
            batches = iter(loader)
            batch = next(batches)
        optimiser.zero_grad()
        nerf.training_step(batch, 0).backward()
        optimiser.step()

    def picture(view: int) -> torch.Tensor:
        pose = torch.tensor(scene.world_from_camera[view])
        rays = model.get_image_rays(pose, scene.height, scene.width, float(arrays["focal"]))
        origins, directions = (side[::STRIDE, ::STRIDE] for side in rays)
        with torch.no_grad():
            flat = nerf.render_rays(origins.reshape(-1, 3), directions.reshape(-1, 3), 64)
        return flat.reshape(origins.shape)

    return Side(step, lambda: held_out(scene, picture), 10)


def _named(module: ModuleType) -> Any:
    return module


Reached = tuple[float, float, int]
"""Wall seconds, processor seconds and steps of training until a target was first held."""


def times_to(side: Side, targets: list[float], limit: float, name: str) -> list[Reached | None]:
    """What each target, dB, took; None where it was not held within the limit."""
    reached: dict[float, Reached] = {}
    wall = processor = 0.0
    steps, best = 0, -math.inf
    while len(reached) < len(targets) and processor < limit:
        began, began_processor = time.perf_counter(), time.process_time()
        for _ in range(side.every):
            side.step()
        wall += time.perf_counter() - began
        processor += time.process_time() - began_processor
        steps += side.every
        best = max(best, side.psnr())
        for target in targets:
            if best >= target:
                reached.setdefault(target, (wall, processor, steps))
        if sys.stdout.isatty():
            print(f"{name}: {steps} steps, {wall:.0f} s, {best:.2f} dB   ", end="\r", flush=True)
    print(f"{name}: {steps} steps, {processor:.1f} processor s, {best:.2f} dB   ", flush=True)
    return [reached.get(target) for target in targets]


Took = dict[tuple[str, float], list[Reached | None]]
"""By side and target, one entry a turn."""


def take_turns(
    sides: dict[str, tuple[Callable[[int], Side], list[float]]], repeats: int, limit: float
) -> Took:
    """Every side in turn, so that what slows the machine for a while slows all of them."""
    took: Took = {(name, target): [] for name, (_, targets) in sides.items() for target in targets}
    for turn in range(repeats):
        for name, (make, targets) in sides.items():
            if any(None in took[name, target] for target in targets):
                continue
            times = times_to(make(turn), targets, limit, name)
            for target, at in zip(targets, times, strict=True):
                took[name, target].append(at)
    return took


def row(name: str, target: float, turns: list[Reached | None], limit: float) -> list[object]:
    """Medians over the turns, and the range of the processor seconds."""
    times = [at for at in turns if at]
    if len(times) < len(turns):
        return [name, target, len(turns), "", f"> {limit:.0f}", "", ""]
    wall, processor, steps = (float(np.median(column)) for column in zip(*times, strict=True))
    spread = [at[1] for at in times]
    between = f"{min(spread):.1f} .. {max(spread):.1f}"
    return [name, target, len(turns), f"{wall:.1f}", f"{processor:.1f}", between, int(steps)]


def times_faster(took: Took, fast: str, slow: str, target: float, limit: float) -> str:
    """The ratio of the median processor seconds, or the least it can be."""

    def median(name: str) -> float:
        return float(np.median([at[1] if at else math.inf for at in took[name, target]]))

    slower = median(slow)
    ratio = min(slower, limit) / median(fast)
    return f"{'more than ' if math.isinf(slower) else ''}{ratio:.3g}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scene", required=True, help="a tiny-NeRF file")
    parser.add_argument("--minimal-nerf", type=Path, help="a checkout of it")
    parser.add_argument("--nerf-pytorch", type=Path, help="a checkout of it")
    parser.add_argument("--limit", type=float, default=900.0, help="seconds a side may train")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    scene = load(asked.scene)
    sides: dict[str, tuple[Callable[[int], Side], list[float]]] = {
        "ours, quickest": (lambda seed: ours(scene, QUICKEST, 10, seed), [20.0, 22.0]),
        "ours, fast": (lambda seed: ours(scene, FAST, 20, seed), [20.0, 22.0, 25.0]),
        "ours, plain": (lambda seed: ours(scene, PLAIN, 20, seed), [20.0, 22.0, 25.0]),
    }
    ratios = [("ours, fast", "ours, plain", 25.0)]
    for name, make, peer in (
        ("minimal-nerf", minimal_nerf, asked.minimal_nerf),
        ("nerf-pytorch", nerf_pytorch, asked.nerf_pytorch),
    ):
        if peer:
            sides[name] = (functools.partial(make, scene, peer), [20.0, 22.0])
            ratios += [("ours, quickest", name, target) for target in (20.0, 22.0)]
    took = take_turns(sides, asked.repeats, asked.limit)
    rows = [row(name, target, turns, asked.limit) for (name, target), turns in took.items()]
    columns = ["side", "dB", "turns", "wall s", "processor s", "from .. to", "steps"]
    show(f"training time to held-out PSNR, {asked.threads} threads", columns, rows)
    faster = [
        [fast, slow, target, times_faster(took, fast, slow, target, asked.limit)]
        for fast, slow, target in ratios
    ]
    show("times faster, by processor seconds", ["side", "than", "dB", "times"], faster)
    figures = {"columns": columns, "rows": rows, "faster": faster, "limit": asked.limit}
    write(asked.json, "time_to_psnr", figures)


if __name__ == "__main__":
    main()
