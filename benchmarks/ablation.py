"""The ablation of Table 2 of arXiv:2003.08934 at a size that a laptop can bear.

    python benchmarks/ablation.py --scene PATH --seeds 3 --steps 4000 --out FOLDER

Nine rows, each with the same seeds, rays and steps, differ from the complete model as the paper's
do. Runs are made seed by seed, so that an early stop leaves whole blocks of nine, and each is a
process of its own with one thread. Whatever ends this command, the same one goes on where it was;
FOLDER/runs.parquet holds what is finished, and `python analysis/published/ablation.py FOLDER`
says what it means.

As in the paper, coordinates are given as waves alone, without themselves. The paper multiplies
coordinates by pi after scaling them into [-1, 1]; here they are left as they are, which is the same
with a scale of pi. What the rays cross must therefore lie within pi of the origin on every axis:
beyond, even the slowest wave repeats.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from processes import Pool
from reporting import print_table

from nerf.common.command_line import INTERRUPTED, Parser, exit_status
from nerf.common.errors import InputError
from nerf.common.files import replace_atomically, write_atomically
from nerf.config.flat import build, flatten, with_suggested_bounds
from nerf.config.parameters import Value
from nerf.config.settings import parse_settings
from nerf.scenes import load
from nerf.training.loop import Interrupted, train
from nerf.training.ray_batches import TrainingRays, bounding_box, spread_views
from study.records.provenance import git_state

COMPLETE: Mapping[str, Value] = {
    "sampling.coarse": 32,
    "sampling.fine": 64,
    "encoding.include_input": False,
    "encoding.position_frequencies": 10,
    "encoding.direction_frequencies": 4,
    "optimisation.rays": 256,
    "evaluation.times": 5,
    "evaluation.final_pixels": 100_000,
}


@dataclasses.dataclass(frozen=True)
class Run:
    """One row with one seed, and where it keeps its files."""

    row: str
    seed: int
    config: dict[str, Value]
    folder: Path
    scene: str
    downscale: int

    @property
    def result(self) -> Path:
        return self.folder / "result.json"


def rows(complete: Mapping[str, Value]) -> dict[str, dict[str, Value]]:
    """What each row of the table changes in the complete model.

    One pass asks its network as often as two passes ask theirs: 256 times a ray in the paper, for
    64 and 64 + 128. Directions' frequencies go with those of positions.
    """
    coarse, fine = int(complete["sampling.coarse"]), int(complete["sampling.fine"])
    bare: dict[str, Value] = {"encoding.kind": "none", "encoding.direction_frequencies": 0}
    blind: dict[str, Value] = {"encoding.directions": False}
    one_pass: dict[str, Value] = {"sampling.coarse": 2 * coarse + fine, "sampling.fine": 0}

    def frequencies(position: int, direction: int) -> dict[str, Value]:
        return {
            "encoding.position_frequencies": position,
            "encoding.direction_frequencies": direction,
        }

    return {
        "complete": {},
        "15 frequencies": frequencies(15, 6),
        "5 frequencies": frequencies(5, 2),
        "no hierarchical sampling": one_pass,
        "50 images": {"optimisation.views": 50},
        "no positional encoding": bare,
        "25 images": {"optimisation.views": 25},
        "no view dependence": blind,
        "none of the three": bare | blind | one_pass,
    }


def planned(asked: argparse.Namespace) -> list[Run]:
    """Every run, seed by seed; raises `InputError` where scene or folder do not suit."""
    scene = load(asked.scene, downscale=asked.downscale)
    settings = {**COMPLETE, **parse_settings(asked.set), "optimisation.steps": asked.steps}
    complete = with_suggested_bounds(settings, scene.bounds.near, scene.bounds.far)
    box = bounding_box(
        TrainingRays.of(scene), float(complete["sampling.near"]), float(complete["sampling.far"])
    )
    reach = float(box.abs().max())
    if reach > math.pi:
        raise InputError(
            f"{scene.name}'s rays reach {reach:.2f} from the origin on an axis, where waves of "
            "coordinates repeat beyond pi; narrow sampling.near and sampling.far with --set"
        )
    for changed in rows(complete).values():
        spread_views(scene, int(changed.get("optimisation.views", 0)))  # has the scene so many?
    print(scene.summary)
    described = {"scene": scene.content_hash, "complete": flatten(build(complete))}
    plan = asked.out / "plan.json"
    if not plan.exists():
        write_atomically(plan, json.dumps(described, indent=2).encode())
    elif json.loads(plan.read_text()) != described:
        raise InputError(
            f"{asked.out} holds an ablation of another scene or with other settings ({plan}); "
            "give the same ones to go on with it, or another --out"
        )
    return [
        Run(
            row=row,
            seed=seed,
            config=flatten(build({**complete, **changed, "seed": seed})),
            folder=asked.out / f"{seed}-{row.replace(' ', '-')}",
            scene=asked.scene,
            downscale=asked.downscale,
        )
        for seed in range(asked.seeds)
        for row, changed in rows(complete).items()
    ]


def make(run: Run) -> None:
    """Trains one run in this process, from its checkpoint where there is one.

    Stops, its checkpoint written, when asked by Ctrl-C and when the process that began it is gone.
    """
    parent, asked_to_stop = os.getppid(), []
    signal.signal(signal.SIGINT, lambda number, _: asked_to_stop.append(number))
    torch.set_num_threads(1)
    try:
        result = train(
            build(run.config),
            load(run.scene, downscale=run.downscale),
            should_stop=lambda: bool(asked_to_stop) or os.getppid() != parent,
            checkpoint=run.folder / "checkpoint.pt",
        )
    except Interrupted:
        sys.exit(INTERRUPTED)
    figures = {
        "row": run.row,
        "seed": run.seed,
        "psnr": result.psnr,
        "ssim": result.ssim,
        "test_psnr": result.test_psnr,
        "test_ssim": result.test_ssim,
        "steps": result.steps_done,
        "seconds": result.seconds,
        "state": result.state,
        "reason": result.reason,
        "commit": (git_state(Path(__file__).parent) or {}).get("commit"),
    }
    # json writes NaN, as which a diverged run's figures are, and reads it again.
    write_atomically(run.result, json.dumps({**figures, "config": run.config}).encode())


def finished(runs: list[Run]) -> pd.DataFrame:
    """The table of the runs that have ended, in their order."""
    kept: list[dict[str, Any]] = []
    for run in runs:
        if run.result.exists():
            figures = json.loads(run.result.read_text())
            config = figures.pop("config")
            scene = Path(run.scene).resolve().name
            kept.append({"scene": scene, **config, **figures})
    return pd.DataFrame(kept)


def keep(runs: list[Run], path: Path) -> pd.DataFrame:
    """The same table, written to `path`."""
    table = finished(runs)
    if len(table):
        replace_atomically(path, lambda beside: table.to_parquet(beside, index=False))
    return table


def carry_out(runs: list[Run], asked: argparse.Namespace) -> int:
    """Makes what is not finished; returns how many runs failed."""
    table, failed = asked.out / "runs.parquet", 0
    waiting = [run for run in runs if not run.result.exists()]
    print(f"{len(runs) - len(waiting)} of {len(runs)} runs are finished", flush=True)
    with Pool(waiting, make, asked.processes) as pool:
        for run, status in pool.ended():
            name = f"{run.row}, seed {run.seed}"
            if status:
                failed += 1
                print(f"{name} failed with status {status}; its messages are above", flush=True)
                continue
            done = keep(runs, table)
            figures = json.loads(run.result.read_text())
            print(
                f"{len(done)}/{len(runs)} {name}: {figures['psnr']:.2f} dB on validation views, "
                f"{figures['test_psnr']:.2f} on test views, {figures['state']} after "
                f"{figures['seconds']:.0f} s; about {pool.seconds_left() / 60:.0f} min left",
                flush=True,
            )
    return failed


def options() -> argparse.Namespace:
    """The command line, parsed; raises `InputError` for what makes no sense."""
    parser = Parser(__doc__.splitlines()[0])
    parser.add_argument("--scene", required=True, help="a Blender folder")
    parser.add_argument("--downscale", type=int, default=1, metavar="N", help="divide its sides")
    parser.add_argument("--seeds", type=int, default=3, help="runs of each row, seeds 0 onwards")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--processes", type=int, default=2, help="runs at once, a thread each")
    parser.add_argument("--out", type=Path, required=True, help="folder to make or go on with")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="give every row another value of a parameter, as nerf/train.py does (repeatable)",
    )
    asked = parser.parse()
    for name in ("seeds", "steps", "processes"):
        if getattr(asked, name) < 1:
            raise InputError(f"--{name} must be at least 1, got {getattr(asked, name)}")
    return asked


def main() -> int:
    # A shell that starts this in the background has it ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    asked = options()
    runs = planned(asked)
    try:
        failed = carry_out(runs, asked)
    except KeyboardInterrupt:
        print("stopped; what was done is kept. The same command goes on with it.")
        return INTERRUPTED
    table = keep(runs, asked.out / "runs.parquet")
    by_row = [
        [row, len(part), float(part["psnr"].mean()), float(part["test_psnr"].mean())]
        for row, part in table.groupby("row", sort=False)
    ]
    print_table("means over seeds", ["row", "runs", "validation dB", "test dB"], by_row)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(exit_status(main))
