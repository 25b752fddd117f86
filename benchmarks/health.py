"""Errors of the health watch: collapses that it misses or sees late, healthy runs that it stops.

    python benchmarks/health.py --scene bricks

Collapses are injected: at step 40 of a run a part of the field is broken, for every seed and scene.
The watch must flag each within 300 steps. Training then continues, to check that the verdict was
right. Healthy runs, many of them slow to start, must not be flagged, neither during training nor at
the end.

Exits with status 1 if a collapse is missed or a healthy run is flagged.

    python benchmarks/health.py --study studies/collapse_bricks

looks at the runs of a study instead, where nobody injected anything (see health_of_studies.py).
"""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from health_of_studies import report_studies
from reporting import benchmark_parser, positive, print_table, save_json

from nerf.common.command_line import exit_status
from nerf.config.flat import Flat, build, with_suggested_bounds
from nerf.evaluation.evaluate import evaluate
from nerf.scenes import load
from nerf.scenes.scene import Scene
from nerf.training.loop import HEALTH_CHECK_INTERVAL, Callbacks, train_to_end
from nerf.training.run import TrainingRun

INJECTED_AT = 40
"""Step at which a collapse is injected."""

MAX_STEPS_TO_FLAG = 300
"""Steps after the injection within which a collapse must be flagged."""

STEPS_AFTER_FLAG = 200
"""Steps of training after a flag, in which a truly collapsed run gains nothing."""

HEALTHY_STEPS = 600
EVALUATE_EVERY = 50
SEEDS = 3
REASON_LENGTH = 70

SMALL: Flat = {
    "field.width": 64,
    "sampling.coarse": 24,
    "optimisation.rays": 128,
    "evaluation.pixels": 512,
}

Injection = Callable[[TrainingRun], None]


def density_bias(value: float, name: str = "only") -> Injection:
    """Sets the bias of the density head, far from zero, in the pass `name`."""

    def inject(run: TrainingRun) -> None:
        run.model.passes()[name].density.bias.data.fill_(value)

    return inject


def dead_units(run: TrainingRun) -> None:
    """Moves every unit of the second layer to where ReLU is zero."""
    run.model.coarse.trunk[1].bias.data.fill_(-1e3)  # type: ignore[operator]


def not_a_number(run: TrainingRun) -> None:
    """Sets one weight to NaN, as an overflow would."""
    run.model.coarse.colour.weight.data[0, 0] = float("nan")


def nothing(run: TrainingRun) -> None:
    """Injects nothing: the settings alone make the run what it is."""


COLLAPSES: dict[str, tuple[Flat, Injection]] = {
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

HEALTHY: dict[str, tuple[Flat, Injection]] = {
    "defaults": ({}, nothing),
    "learning rate 1e-4": ({"optimisation.learning_rate": 1e-4}, nothing),
    "warm-up over a third of the steps": ({"optimisation.warm_up": HEALTHY_STEPS // 3}, nothing),
    "15 frequencies": ({"encoding.position_frequencies": 15}, nothing),
    "no encoding": ({"encoding.position_frequencies": 0}, nothing),
    "sigmoid density": ({"field.density_activation": "sigmoid"}, nothing),
    "ReLU density": ({"field.density_activation": "relu"}, nothing),
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
    "dead coarse pass, healthy fine one": ({"sampling.fine": 16}, density_bias(-60, "coarse")),
    "bounds that cut the object": ({"sampling.near": 3.8, "sampling.far": 6.0}, nothing),
    "glorot, cosine": (
        {"field.initialisation": "glorot", "optimisation.schedule": "cosine"},
        nothing,
    ),
}


@dataclass(frozen=True)
class WatchedRun:
    """One run under watch.

    flagged_after: steps from the injection to the flag, None if never flagged; psnr_at_flag and
    psnr_later: held-out PSNR in dB at the flag and `STEPS_AFTER_FLAG` steps later
    """

    kind: str
    scene: str
    seed: int
    flagged_after: int | None
    reason: str
    psnr_at_flag: float
    psnr_later: float


def watch(
    kind: str, settings: Flat, inject: Injection, steps: int, scene: Scene, seed: int
) -> WatchedRun:
    """Trains for `steps` after the injection or until a verdict; then continues after a flag.

    The loop is the one that every run uses, so its evaluations and health checks are, too.
    """
    injected_at = 0 if inject is nothing else INJECTED_AT
    total = injected_at + steps
    budget: Flat = {"optimisation.steps": total, "evaluation.times": total // EVALUATE_EVERY}
    flat = {**SMALL, **budget, **settings, "seed": seed}
    config = build(with_suggested_bounds(flat, scene.bounds.near, scene.bounds.far))
    run = TrainingRun(config, scene)

    def inject_at_its_step(step: int) -> None:
        if step == injected_at:
            inject(run)

    result = train_to_end(run, Callbacks(on_step=inject_at_its_step))
    flagged = None if result.state == "completed" else run.steps_done - injected_at
    at_flag = evaluate(run.model, scene, "val", 512).psnr
    later = at_flag
    if flagged is not None:
        for _ in range(STEPS_AFTER_FLAG):
            run.advance()
        later = evaluate(run.model, scene, "val", 512).psnr
    return WatchedRun(kind, scene.name, seed, flagged, result.reason, at_flag, later)


def overhead(scene: Scene, steps: int = 100) -> float:
    """Time of the watch relative to the time of a step, at the default configuration."""
    run = TrainingRun(build({}), scene)
    for _ in range(10):
        run.advance()
    step = _time(run.advance, steps)
    recording = _time(lambda: run.health.record_gradients(run.model), steps)
    checking = _time(run.check_health, steps) / HEALTH_CHECK_INTERVAL
    return (recording + checking) / step


def _time(work: Callable[[], object], times: int) -> float:
    """Seconds that `times` calls take."""
    began = time.perf_counter()
    for _ in range(times):
        work()
    return time.perf_counter() - began


def summary_rows(runs: Sequence[WatchedRun], kinds: Sequence[str]) -> list[list[object]]:
    """A row for each kind: runs, flagged, latest flag, largest PSNR gain after it, a reason."""
    rows: list[list[object]] = []
    for kind in kinds:
        of_kind = [run for run in runs if run.kind == kind]
        flagged = [run for run in of_kind if run.flagged_after is not None]
        latest = max((run.flagged_after or 0 for run in flagged), default=0)
        gain = max((run.psnr_later - run.psnr_at_flag for run in flagged), default=0.0)
        example = flagged[0].reason[:REASON_LENGTH] if flagged else ""
        rows.append([kind, len(of_kind), len(flagged), latest or "-", round(gain, 2), example])
    return rows


def watch_all(scenes: Sequence[Scene]) -> tuple[list[WatchedRun], list[WatchedRun]]:
    """All runs with an injected collapse and all healthy runs, on each scene with each seed."""
    collapsed, healthy = [], []
    for scene in scenes:
        for seed in range(SEEDS):
            for kind, (settings, inject) in COLLAPSES.items():
                collapsed.append(watch(kind, settings, inject, MAX_STEPS_TO_FLAG, scene, seed))
            for kind, (settings, inject) in HEALTHY.items():
                healthy.append(watch(kind, settings, inject, HEALTHY_STEPS, scene, seed))
            print(f"{scene.name}, seed {seed}: done", flush=True)
    return collapsed, healthy


def run_benchmark(arguments: list[str] | None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument(
        "--scene",
        action="append",
        metavar="bricks|tiny-lego|PATH",
        help="scene to train on (repeatable; default: bricks over black and over white)",
    )
    study = "study whose runs are checked instead (repeatable)"
    parser.add_argument("--study", action="append", metavar="FOLDER", help=study)
    parser.add_argument(
        "--most",
        type=positive,
        default=10,
        help="runs of each kind to train further, of a study (default: 10)",
    )
    options = parser.parse(arguments)
    torch.set_num_threads(1)
    if options.study:
        return report_studies(options.study, options.most, options.json)
    if options.scene:
        scenes = [load(source) for source in options.scene]
    else:
        bricks = load("bricks")
        scenes = [bricks, bricks.with_background("white")]
    collapsed, healthy = watch_all(scenes)
    columns = ["kind", "runs", "flagged", "latest step", "dB gained later", "reason"]
    print_table(
        "injected collapses (all must be flagged)",
        columns,
        summary_rows(collapsed, list(COLLAPSES)),
    )
    print_table("healthy runs (none may be flagged)", columns, summary_rows(healthy, list(HEALTHY)))
    missed = sum(run.flagged_after is None for run in collapsed)
    false_alarms = sum(run.flagged_after is not None for run in healthy)
    share = overhead(scenes[0])
    print(
        f"{missed} of {len(collapsed)} collapses missed, {false_alarms} of {len(healthy)} healthy "
        f"runs flagged; the watch adds {share:.2%} to the time of a step"
    )
    runs = {"collapsed": collapsed, "living": healthy}
    figures = {name: [dataclasses.asdict(run) for run in of] for name, of in runs.items()}
    save_json(options.json, "health", {**figures, "overhead": share})
    return 1 if missed or false_alarms else 0


def main(arguments: list[str] | None = None) -> int:
    return exit_status(lambda: run_benchmark(arguments))


if __name__ == "__main__":
    sys.exit(main())
