"""Thumbnails of a committed study: reruns a few of its trials and keeps their renders, small.

    python benchmarks/rerun_trials.py analysis/results/default --scene bricks

A committed study has no renders. Of each study are rerun, with the recorded configuration and seed:
the best trial, the default one, the trial of median PSNR of each outcome and of each reason to
collapse, and those in the corners of the map of near and far bounds. A render is kept where PSNR
and outcome agree with the record. `thumbnails/manifest.json` says of each how it was made; reports
show a thumbnail wherever a study has no render.
"""

from __future__ import annotations

import io
import itertools
import json
import math
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
import torch
from PIL import Image

from analysis.data.selection import find_best_trial, find_default_trial
from analysis.data.study import Study, load_study
from analysis.findings.bounds_map import map_bounds
from analysis.pages.thumbnails import MANIFEST, thumbnail_file
from nerf.common.command_line import Parser, exit_status
from nerf.common.errors import InputError
from nerf.common.files import write_atomically
from nerf.config.flat import build
from nerf.config.parameters import DERIVED, list_parameters
from nerf.config.schema import NerfConfig
from nerf.scenes import load
from nerf.scenes.scene import Scene
from nerf.training.loop import train
from study.records.outcomes import COLLAPSED, FAILED, PRUNED

HEIGHT = 100  # pixels of a thumbnail, at most
QUALITY = 80  # of WebP
TOLERANCE = 0.1  # dB; another processor rounds otherwise, and a training amplifies that


def select_trials(study: Study) -> dict[str, str]:
    """Trial id -> why it is shown. No pruned trial: a rerun would not be stopped where it was."""
    chosen: dict[str, str] = {}

    def choose(trial: pd.Series | None, why: str) -> None:
        if trial is not None:
            chosen.setdefault(str(trial["trial_id"]), why)

    choose(find_best_trial(study.trials), "best")
    choose(find_default_trial(study), "default")
    for name, trials in _group_by_fate(study.trials):
        choose(trials.sort_values("score").iloc[(len(trials) - 1) // 2], f"median of {name}")
    if bounds := map_bounds(study.trials):
        for row, column in itertools.product((0, -1), repeat=2):
            if (cell := bounds.cells[row][column]) is not None:
                chosen.setdefault(cell.trial_id, "median of a corner of near and far")
    return chosen


def _group_by_fate(trials: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The trials of each outcome and, of those that collapsed, of each reason."""
    ended = trials[~trials["outcome"].isin([PRUNED, FAILED])]
    fates = ended["outcome"].where(
        ended["outcome"] != COLLAPSED,
        "collapsed: " + ended["reason"].str.split(r":| between ").str[0],
    )
    for name, group in ended.groupby(fates, sort=False):
        yield str(name), group


def configuration(trial: pd.Series) -> NerfConfig:
    """The recorded configuration of a trial, with its seed."""
    paths = [path for path in list_parameters() if path not in DERIVED]
    values = {path: trial[path] for path in paths if path in trial}
    return build({k: v.item() if isinstance(v, np.generic) else v for k, v in values.items()})


def rerun(trial: pd.Series, scene: Scene, why: str) -> tuple[dict[str, Any], np.ndarray]:
    """How the rerun compares with the record, and the render beside the photograph."""
    result = train(configuration(trial), scene, device="cpu")
    recorded = float(trial["psnr"])
    same_psnr = abs(result.psnr - recorded) <= TOLERANCE or (
        math.isnan(result.psnr) and math.isnan(recorded)
    )
    entry = {
        "shown": why,
        "seed": int(trial["seed"]),
        "state": str(trial["state"]),
        "psnr_recorded": _finite(recorded),
        "psnr_rerun": _finite(result.psnr),
        "agrees": bool(same_psnr and result.state == trial["state"]),
    }
    return entry, result.image


def _finite(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None


def encode(pixels: np.ndarray) -> bytes:
    """A WebP file, at most `HEIGHT` pixels high."""
    image = Image.fromarray(pixels)
    if image.height > HEIGHT:
        image = image.resize((round(image.width * HEIGHT / image.height), HEIGHT))
    content = io.BytesIO()
    image.save(content, "WEBP", quality=QUALITY, method=6)
    return content.getvalue()


def write_thumbnails(study: Study, scene: Scene) -> dict[str, Any]:
    """Reruns the selected trials, writes thumbnails and their manifest; returns its entries.

    Trials in the manifest of an earlier call, which may have been interrupted, are not run again.
    """
    manifest = study.folder.path / MANIFEST
    entries = json.loads(manifest.read_text())["trials"] if manifest.exists() else {}
    trials = study.trials.set_index("trial_id", drop=False)
    for trial_id, why in select_trials(study).items():
        if trial_id in entries:
            continue
        entries[trial_id], pixels = rerun(trials.loc[trial_id], scene, why)
        if entries[trial_id]["agrees"]:
            write_atomically(thumbnail_file(study.folder, trial_id), encode(pixels))
        text = json.dumps(_describe(entries, scene), indent=1, allow_nan=False)
        write_atomically(manifest, f"{text}\n".encode())
        print(study.name, trial_id, entries[trial_id], flush=True)
    return entries


def _describe(entries: dict[str, Any], scene: Scene) -> dict[str, Any]:
    """The manifest: how thumbnails were made, and what became of each rerun."""
    return {
        "made_by": "benchmarks/rerun_trials.py: recorded configuration and seed, trained again",
        "kept": f"renders of trials whose state agrees and whose PSNR is within {TOLERANCE} dB",
        "format": f"WebP, quality {QUALITY}, at most {HEIGHT} pixels high, beside the photograph",
        "machine": platform.machine(),
        "torch": version("torch"),
        "scene": scene.content_hash,
        "trials": dict(sorted(entries.items())),
    }


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    return exit_status(lambda: _run(arguments))


def _run(arguments: list[str] | None) -> int:
    parser = Parser(__doc__ or "")
    parser.add_argument("study", nargs="+", help="a committed study folder")
    parser.add_argument("--scene", required=True, help="the studies' scene: its name or path")
    options = parser.parse(arguments)
    torch.set_num_threads(1)
    for path in options.study:
        study = load_study(path)
        spec = study.spec
        scene = load(
            options.scene,
            downscale=int(spec.get("downscale", 1)),
            background=str(spec.get("background", "auto")),  # type: ignore[arg-type]
        )
        if scene.content_hash != study.scene["hash"]:
            raise InputError(
                f"{options.scene} is not the scene of {path}; give the one it was trained on, "
                f"{study.scene['source']}"
            )
        entries = write_thumbnails(study, scene)
        agree = sum(entry["agrees"] for entry in entries.values())
        print(f"{path}: {agree} of {len(entries)} reruns agree with the record")
    return 0


if __name__ == "__main__":
    sys.exit(main())
