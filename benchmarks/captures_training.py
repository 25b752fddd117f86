"""Photographs before white beside the same pictures with an alpha channel, as they train.

    python benchmarks/captures_training.py [--seeds 3] [--steps 400] [--kinds RGBA RGB ...]

writes two captures, each once as RGB over white and once as RGBA: the built-in locomotive (studio),
60 views of 100 x 100, and the table of benchmarks/capture/world.py, 24 views of 96 x 72. It trains
both twins with the default configuration and the same seeds, and the RGB ones twice more with
`--background black`, which is wrong: as they are (black), and without what keeps a density alive in
the first steps (black, no cure), where the health watch should see the collapse.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
from capture.case import Picture
from capture.lenses import Camera
from capture.world import to_bytes
from capture.writing import Shots, numbered, shoot, write_transforms
from reporting import benchmark_parser, positive, print_table, save_json
from scipy.stats import t as student

from nerf.common.command_line import exit_status
from nerf.config.flat import Flat, build, with_suggested_bounds
from nerf.scenes import load
from nerf.scenes.builtin import bricks
from nerf.scenes.builtin.rendered_views import Shot, render_views
from nerf.scenes.scene import Scene
from nerf.training.loop import train

FINAL_PIXELS = 40_000
"""Of the last evaluation, as nerf/train.py has it."""


@dataclass(frozen=True)
class Outcome:
    """How one run ended."""

    capture: str
    kind: str
    seed: int
    psnr: float
    state: str
    steps: int
    reason: str


def table(alpha: bool) -> Shots:
    """The table with its balls, before white or with alphas."""
    return shoot(numbered("images/{:03d}.png"), alpha=alpha, backdrop=1.0)


def studio(alpha: bool, views: int = 60, size: int = 100) -> Shots:
    """The built-in locomotive as the scene studio shows it, before white or with alphas."""
    shot = Shot(bricks.camera_poses(views), 0.7 * size, size, samples=3)
    rgba = render_views(bricks.build_model(), shot, lambda: None) / 255.0  # premultiplied
    colours, alphas = rgba[..., :3], rgba[..., 3:]
    straight = np.where(alphas > 0, colours / np.maximum(alphas, 1 / 255), 0).clip(0, 1)
    pixels = np.concatenate([straight, alphas], -1) if alpha else colours + 1 - alphas
    camera = Camera(size, size, (shot.focal, shot.focal))
    none: list[Picture] = []
    names = numbered("images/{:03d}.png", views)
    poses = [pose.astype(float) for pose in shot.poses]
    return Shots(names, poses, [camera] * views, list(to_bytes(pixels)), none)


CAPTURES: dict[str, Callable[[bool], Shots]] = {"studio": studio, "table": table}
KINDS = ("RGBA", "RGB", "black", "black, no cure")
NO_CURE: Flat = {
    "optimisation.crop_steps": 0,
    "optimisation.warm_up": 0,
    "field.initial_density": 0.0,
}


def main(arguments: list[str] | None = None) -> int:
    """Runs the command."""
    return exit_status(lambda: _run(arguments))


def _run(arguments: list[str] | None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--seeds", type=positive, default=3, help="runs of each kind (default: 3)")
    parser.add_argument(
        "--steps", type=positive, default=400, help="steps of each run (default: 400)"
    )
    kinds = "kinds of pictures to train on (default: all)"
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS, help=kinds)
    options = parser.parse(arguments)
    scenes = {}
    for name, take in CAPTURES.items():
        with tempfile.TemporaryDirectory() as folder:
            scenes[name] = _scenes(Path(folder), take)
    outcomes = [
        _train(name, kind, seed, scenes[name][kind], options.steps)
        for seed in range(options.seeds)
        for name in CAPTURES
        for kind in options.kinds
    ]
    rows = [(o.capture, o.kind, o.seed, o.psnr, o.state, o.steps, o.reason) for o in outcomes]
    columns = ("capture", "pictures", "seed", "test PSNR, dB", "state", "steps", "reason")
    print_table(f"{options.steps} steps", columns, rows)
    if {"RGBA", "RGB"} <= set(options.kinds):
        for name in CAPTURES:
            print(_compare(name, outcomes))
    for kind in KINDS[2:]:
        runs = [o for o in outcomes if o.kind == kind]
        steps = [o.steps for o in runs if o.state == "collapsed"]
        print(f"{kind}: {len(steps)} of {len(runs)} runs flagged, after steps {steps}")
    save_json(options.json, "captures_training", {"runs": [vars(o) for o in outcomes]})
    return 0


def _scenes(folder: Path, take: Callable[[bool], Shots]) -> dict[str, Scene]:
    """The scene of each kind of pictures."""
    for kind in ("RGBA", "RGB"):
        write_transforms(folder / kind, take(kind == "RGBA"))
    return {
        "RGBA": load(str(folder / "RGBA")),
        "RGB": load(str(folder / "RGB")),
        **{kind: load(str(folder / "RGB"), background="black") for kind in KINDS[2:]},
    }


def _train(name: str, kind: str, seed: int, scene: Scene, steps: int) -> Outcome:
    settings: Flat = {
        "optimisation.steps": steps,
        "seed": seed,
        "evaluation.final_pixels": FINAL_PIXELS,
        **(NO_CURE if kind == "black, no cure" else {}),
    }
    config = build(with_suggested_bounds(settings, scene.bounds.near, scene.bounds.far))
    began = time.process_time()
    result = train(config, scene)
    seconds, busy = time.process_time() - began, os.getloadavg()[0]
    print(
        f"{name}, {kind}, seed {seed}: {result.state} at {result.steps_done}, "
        f"{result.psnr:.2f} and {result.test_psnr:.2f} dB, {seconds:.0f} s of CPU, "
        f"load {busy:.1f} {result.reason}",
        file=sys.stderr,
        flush=True,
    )
    return Outcome(
        name, kind, seed, result.test_psnr, result.state, result.steps_done, result.reason
    )


def _compare(name: str, outcomes: Sequence[Outcome]) -> str:
    """RGB over white less RGBA, paired by seed, with Student's interval of 95 %."""
    psnr = {(o.kind, o.seed): o.psnr for o in outcomes if o.capture == name}
    seeds = [seed for kind, seed in psnr if kind == "RGB"]
    differences = [psnr["RGB", seed] - psnr["RGBA", seed] for seed in seeds]
    mean = fmean(differences)
    text = f"{name}: RGB over white less RGBA {mean:+.2f} dB"
    if len(differences) < 2:
        return text
    half = student.ppf(0.975, len(differences) - 1) * stdev(differences)
    half /= math.sqrt(len(differences))
    return f"{text} [{mean - half:+.2f}, {mean + half:+.2f}]"


if __name__ == "__main__":
    sys.exit(main())
