"""Why a density dies: opacity, raw density and its gradients in the first steps of training.

    python benchmarks/first_steps.py --scene bricks

Each run is watched on the same rays of the training views, before each of its first steps. The
gradient of the loss with respect to the bias of the density head is split into the part that rays
of the backdrop make and the part of rays that show content: if it is above 0, training lowers the
density. A run starts `as drawn` (no crop, no warm-up, the bias as it was drawn), with one of the
three cures, or with all of them, which are the defaults.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch
from reporting import positive, print_table
from torch import Tensor

from nerf.common.command_line import Parser, exit_status
from nerf.common.errors import InputError
from nerf.config.choices import DENSITY_ACTIVATIONS
from nerf.config.flat import Flat, build, with_suggested_bounds
from nerf.config.parameters import Value
from nerf.model.sampling import stratified_samples
from nerf.scenes import load
from nerf.scenes.backdrop import content_masks
from nerf.scenes.scene import Scene
from nerf.training.ray_batches import Batch
from nerf.training.run import TrainingRun

AS_DRAWN: Flat = {
    "optimisation.crop_steps": 0,
    "optimisation.warm_up": 0,
    "field.initial_density": 0.0,
}
STARTS: dict[str, Flat] = {
    "as drawn": AS_DRAWN,
    "crop": {**AS_DRAWN, "optimisation.crop_steps": 100},
    "warm-up": {**AS_DRAWN, "optimisation.warm_up": 50},
    "initial density": {**AS_DRAWN, "field.initial_density": 0.3},
    "all three": {
        "optimisation.crop_steps": 100,
        "optimisation.warm_up": 50,
        "field.initial_density": 0.3,
    },
}
SMALL: dict[str, Value] = {"sampling.coarse": 40, "optimisation.rays": 256, "field.width": 64}
PROBE_RAYS = 512


@dataclass(frozen=True)
class Moment:
    """The field before a step, on the probe's rays.

    raw_density: mean input of the density activation over all samples
    opacity_content, opacity_backdrop: mean opacity of rays that show content, and of the others
    push_content, push_backdrop: their parts of d loss / d bias of the density head
    psnr: of the probe's rays, dB
    """

    scene: str
    density_activation: str
    start: str
    seed: int
    step: int
    raw_density: float
    opacity_content: float
    opacity_backdrop: float
    push_content: float
    push_backdrop: float
    psnr: float


def watch_first_steps(
    scene: Scene, activation: str, start: str, seed: int, steps: int
) -> Iterator[Moment]:
    """Yields a `Moment` before each of the first steps of one run of 300, and after the last."""
    run, probe, content = begin(scene, activation, start, seed)
    for step in range(steps + 1):
        yield Moment(scene.name, activation, start, seed, step, **measure(run, probe, content))
        run.advance()


def begin(
    scene: Scene, activation: str, start: str, seed: int
) -> tuple[TrainingRun, Batch, Tensor]:
    """A run before its first step, the rays that it is watched on, and which show content.

    Raises `InputError` for a scene without a backdrop.
    """
    masks = content_masks(scene, list(scene.train))
    if masks is None:
        raise InputError(
            f"{scene.name} has no backdrop to split the gradients by; try --scene bricks or studio"
        )
    flat = {**SMALL, **STARTS[start], "optimisation.steps": 300, "seed": seed}
    flat["field.density_activation"] = activation
    config = build(with_suggested_bounds(flat, scene.bounds.near, scene.bounds.far))
    run = TrainingRun(config, scene)
    probe = run.rays.draw(PROBE_RAYS, torch.Generator().manual_seed(0))
    # Drawn as the probe was, so these are its pixels.
    pixels = run.rays.draw_pixels(PROBE_RAYS, torch.Generator().manual_seed(0), cropped=False)
    return run, probe, torch.tensor(masks.reshape(-1))[pixels]


def measure(run: TrainingRun, probe: Batch, content: Tensor) -> dict[str, float]:
    """What a `Moment` holds of the field as it is now."""
    field = run.model.coarse
    with torch.enable_grad():
        (rendering,) = run.model(probe.origins, probe.directions, probe.background)
        errors = ((rendering.rgb - probe.rgb) ** 2).mean(-1)
        parts = [errors[mask].sum() / len(errors) for mask in (content, ~content)]
        push = [
            torch.autograd.grad(part, field.density.bias, retain_graph=True)[0].item()
            for part in parts
        ]
    with torch.no_grad():
        sampling = run.config.sampling
        t = stratified_samples(
            sampling.near, sampling.far, PROBE_RAYS, sampling.coarse, None, probe.rgb.device
        )
        raw_density, _ = field(
            probe.origins[:, None] + t[..., None] * probe.directions[:, None], probe.directions
        )
    opacity = rendering.opacity.detach()
    return {
        "raw_density": raw_density.mean().item(),
        "opacity_content": opacity[content].mean().item(),
        "opacity_backdrop": opacity[~content].mean().item(),
        "push_content": push[0],
        "push_backdrop": push[1],
        "psnr": -10 * torch.log10(errors.mean().detach()).item(),
    }


def summarise(moments: list[Moment], steps: int) -> list[list[object]]:
    """A row for each run: its first push, and its field after the last step."""
    rows: list[list[object]] = []
    for first in (m for m in moments if m.step == 0):
        key = (first.scene, first.density_activation, first.start, first.seed)
        last = next(
            m
            for m in moments
            if m.step == steps and (m.scene, m.density_activation, m.start, m.seed) == key
        )
        rows.append(
            [
                *key,
                first.opacity_backdrop,
                first.push_backdrop,
                first.push_content,
                last.raw_density,
                last.opacity_content,
                last.opacity_backdrop,
                last.psnr,
            ]
        )
    return rows


def run_benchmark(arguments: list[str] | None) -> int:
    parser = Parser(__doc__ or "")
    scene = "scene to train on (repeatable; default: bricks)"
    parser.add_argument("--scene", action="append", metavar="NAME|PATH", help=scene)
    parser.add_argument("--steps", type=positive, default=50, help="steps watched (default: 50)")
    parser.add_argument("--seeds", type=positive, default=1, help="runs of each kind (default: 1)")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write every moment to FILE")
    options = parser.parse(arguments)
    torch.set_num_threads(1)
    moments: list[Moment] = []
    for source in options.scene or ["bricks"]:
        scene = load(source)
        for activation in DENSITY_ACTIVATIONS.built_in:
            for start in STARTS:
                for seed in range(options.seeds):
                    moments += watch_first_steps(scene, activation, start, seed, options.steps)
            print(f"{scene.name}, {activation}: done", flush=True)
    columns = ["scene", "density", "start", "seed", "backdrop's opacity", "its push", "content's"]
    after = f"after {options.steps} steps: raw density"
    print_table(
        "before the first step, and after the last",
        [*columns, after, "opacity of content", "of backdrop", "PSNR"],
        summarise(moments, options.steps),
    )
    if options.csv:
        write_csv(options.csv, moments)
    return 0


def write_csv(file: Path, moments: list[Moment]) -> None:
    """Writes a row for each moment, with four significant digits."""
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow([field.name for field in fields(Moment)])
        for moment in moments:
            values = asdict(moment).values()
            writer.writerow([f"{v:.4g}" if isinstance(v, float) else v for v in values])


def main(arguments: list[str] | None = None) -> int:
    return exit_status(lambda: run_benchmark(arguments))


if __name__ == "__main__":
    sys.exit(main())
