"""Both errors of the health watch: collapses that it misses or sees late, and living runs it ends.

    python benchmarks/health.py [--scene PATH ...] [--json FILE]

Collapses are injected: a part of the field is broken at step 40 of a run, by seed and scene. Each
must be flagged within 300 steps; it is then trained on, to see that the verdict was true. Living
runs, many of them slow to start, must not be flagged, during their budget or at its end.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from reporting import show, write

from nerf.config.flat import Flat, build, with_suggested_bounds
from nerf.evaluation.evaluate import evaluate
from nerf.scenes import load
from nerf.scenes.scene import Scene
from nerf.training.health import ALIVE
from nerf.training.loop import LOOK_EVERY, TrainingRun

INJECTED_AT, LIMIT, AFTERLIFE, LIVING_STEPS = 40, 300, 200, 600
EVALUATE_EVERY = 50
SEEDS = 3
SMALL: Flat = {
    "field.width": 64,
    "sampling.coarse": 24,
    "optimisation.rays": 128,
    "optimisation.steps": LIVING_STEPS,
    "evaluation.pixels": 512,
}

Injection = Callable[[TrainingRun], None]


def density_bias(value: float, name: str = "only") -> Injection:
    """Moves every density input far to one side."""

    def inject(run: TrainingRun) -> None:
        run.model.passes()[name].density.bias.data.fill_(value)

    return inject


def dead_units(run: TrainingRun) -> None:
    """Puts every unit of the second layer where relu is zero."""
    run.model.coarse.trunk[1].bias.data.fill_(-1e3)  # type: ignore[operator, union-attr]


def not_a_number(run: TrainingRun) -> None:
    """What one overflow leaves behind."""
    run.model.coarse.colour.weight.data[0, 0] = float("nan")


def nothing(run: TrainingRun) -> None:
    """The settings alone break the run."""


CAUSES: dict[str, tuple[Flat, Injection]] = {
    "dead relu density": ({"field.density_activation": "relu"}, density_bias(-50)),
    "dead softplus density": ({"field.density_activation": "softplus"}, density_bias(-60)),
    "dead sigmoid density": ({"field.density_activation": "sigmoid"}, density_bias(-60)),
    "dead exponential density": (
        {"field.density_activation": "truncated_exp"},
        density_bias(-60),
    ),
    "opaque softplus density": ({"field.density_activation": "softplus"}, density_bias(300)),
    "opaque relu density": ({"field.density_activation": "relu"}, density_bias(300)),
    "dead fine pass": ({"sampling.fine": 16}, density_bias(-60, "fine")),
    "dead hidden units": ({}, dead_units),
    "not a number": ({}, not_a_number),
    "learning rate of 1e30": ({"optimisation.learning_rate": 1e30}, nothing),
    "bounds behind the object": ({"sampling.near": 7.0, "sampling.far": 9.0}, nothing),
    "bounds before the object": ({"sampling.near": 0.2, "sampling.far": 1.2}, nothing),
}

LIVING: dict[str, tuple[Flat, Injection]] = {
    "defaults": ({}, nothing),
    "learning rate 1e-4": ({"optimisation.learning_rate": 1e-4}, nothing),
    "warm-up over 300 steps": ({"optimisation.warm_up": 300}, nothing),
    "15 frequencies": ({"encoding.position_frequencies": 15}, nothing),
    "no encoding": ({"encoding.position_frequencies": 0}, nothing),
    # At the default rate a sigmoid density really goes black on bricks.
    "sigmoid density": (
        {"field.density_activation": "sigmoid", "optimisation.learning_rate": 1e-3},
        nothing,
    ),
    "sine units": (
        {"field.hidden_activation": "sine", "optimisation.learning_rate": 1e-3},
        nothing,
    ),
    "8 layers of gelu": (
        {"field.depth": 8, "field.hidden_activation": "gelu", "field.skip": 4},
        nothing,
    ),
    "density noise, crop, clip": (
        {
            "optimisation.density_noise": 1.0,
            "optimisation.crop_steps": 200,
            "optimisation.gradient_clip": 0.1,
        },
        nothing,
    ),
    "fine pass": ({"sampling.fine": 16}, nothing),
    "dead coarse pass, living fine one": ({"sampling.fine": 16}, density_bias(-60, "coarse")),
    "bounds that cut the object": ({"sampling.near": 3.8, "sampling.far": 6.0}, nothing),
    "glorot, cosine": (
        {"field.initialisation": "glorot", "optimisation.schedule": "cosine"},
        nothing,
    ),
}


@dataclass(frozen=True)
class Watched:
    """One run under watch; `flagged_after` counts from the injection, None where never."""

    kind: str
    scene: str
    seed: int
    flagged_after: int | None
    reason: str
    psnr_at_flag: float
    psnr_later: float


def watch(
    kind: str, settings: Flat, inject: Injection, steps: int, scene: Scene, seed: int
) -> Watched:
    """Runs until a verdict, or for `steps` after the injection; then on without the watch."""
    bounded = with_suggested_bounds({**SMALL, **settings}, scene.bounds.near, scene.bounds.far)
    run = TrainingRun(build({**bounded, "seed": seed}), scene)
    began = 0
    if inject is not nothing:
        began = INJECTED_AT
        for _ in range(began):
            run.advance()
        inject(run)
    while run.steps_done < began + steps and run.verdict == ALIVE:
        run.advance()
        if run.steps_done % LOOK_EVERY == 0:
            run.look()
        if run.steps_done % EVALUATE_EVERY == 0:
            run.evaluate()
    if run.verdict == ALIVE:
        curve = [(point.step, point.psnr) for point in run.curve]
        run.verdict = run.health.ended(curve, run.step.losses.tolist())
    flagged = None if run.verdict == ALIVE else run.steps_done - began
    at_flag = evaluate(run.model, scene, "val", 512).psnr
    later = at_flag
    if flagged is not None:
        for _ in range(AFTERLIFE):
            run.advance()
        later = evaluate(run.model, scene, "val", 512).psnr
    return Watched(kind, scene.name, seed, flagged, run.verdict.reason, at_flag, later)


def overhead(scene: Scene, steps: int = 100) -> float:
    """The watch's share of a step's time at the default configuration."""
    run = TrainingRun(build({}), scene)
    for _ in range(10):
        run.advance()
    step = _seconds(run.advance, steps)
    noting = _seconds(lambda: run.health.stepped(run.model), steps)
    looking = _seconds(run.look, steps) / LOOK_EVERY
    return (noting + looking) / step


def _seconds(work: Callable[[], object], times: int) -> float:
    began = time.perf_counter()
    for _ in range(times):
        work()
    return time.perf_counter() - began


def summary(runs: Sequence[Watched], kinds: Sequence[str]) -> list[list[object]]:
    """A row a kind: how many, how many flagged, when at the latest, what further training gave."""
    rows: list[list[object]] = []
    for kind in kinds:
        of_kind = [run for run in runs if run.kind == kind]
        flagged = [run for run in of_kind if run.flagged_after is not None]
        latest = max((run.flagged_after or 0 for run in flagged), default=0)
        gain = max((run.psnr_later - run.psnr_at_flag for run in flagged), default=0.0)
        example = flagged[0].reason[:70] if flagged else ""
        rows.append([kind, len(of_kind), len(flagged), latest or "-", round(gain, 2), example])
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--scene",
        action="append",
        help="bricks, tiny-lego or a path (repeatable; default: bricks before black and white)",
    )
    parser.add_argument("--json", type=Path, help="write every run to this file")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    bricks = load("bricks")
    scenes = [load(source) for source in asked.scene or []] or [
        bricks,
        bricks.with_background("white"),
    ]
    collapsed, living = [], []
    for scene in scenes:
        for seed in range(SEEDS):
            for kind, (settings, inject) in CAUSES.items():
                collapsed.append(watch(kind, settings, inject, LIMIT, scene, seed))
            for kind, (settings, inject) in LIVING.items():
                living.append(watch(kind, settings, inject, LIVING_STEPS, scene, seed))
            print(f"{scene.name}, seed {seed}: done", flush=True)
    columns = ["kind", "runs", "flagged", "latest step", "dB gained later", "reason"]
    show("injected collapses (all must be flagged)", columns, summary(collapsed, list(CAUSES)))
    show("living runs (none may be flagged)", columns, summary(living, list(LIVING)))
    missed = sum(run.flagged_after is None for run in collapsed)
    false = sum(run.flagged_after is not None for run in living)
    share = overhead(scenes[0])
    print(f"\n{missed} of {len(collapsed)} collapses missed, {false} of {len(living)} living runs "
          f"flagged; the watch takes {share:.2%} of a step")  # fmt: skip
    runs = {"collapsed": collapsed, "living": living}
    figures = {name: [dataclasses.asdict(run) for run in of] for name, of in runs.items()}
    write(asked.json, "health", {**figures, "overhead": share})
    return 1 if missed or false else 0


if __name__ == "__main__":
    sys.exit(main())
