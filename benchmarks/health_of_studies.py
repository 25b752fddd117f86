"""Verdicts of the health watch on the runs of a study, checked by training without the watch.

Flagged runs are trained again, for twice their steps: one that then beats the trivial images was a
false alarm. So are completed runs that show nothing: one that has not gained a tenth of a dB by
then had collapsed, and was missed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reporting import print_table, save_json

from analysis.data.study import load_study
from nerf.config.flat import build
from nerf.config.parameters import DERIVED, Value, list_parameters
from nerf.evaluation.evaluate import evaluate
from nerf.scenes import load
from nerf.scenes.scene import Scene
from nerf.training.health import PLATEAU_MAX_RANGE
from nerf.training.run import TrainingRun
from study.records.outcomes import COLLAPSED, SHOWS_NOTHING


@dataclass(frozen=True)
class ContinuedRun:
    """A run of a study that was flagged, or shows nothing, trained again without the watch.

    psnr: held-out, dB, when the study's run ended; later: after twice its steps; trivial: of the
    best trivial image
    """

    study: str
    trial: str
    flagged: bool
    psnr: float
    later: float
    trivial: float

    @property
    def false_alarm(self) -> bool:
        """Whether a flagged run recovers."""
        return self.flagged and self.later > self.trivial

    @property
    def missed(self) -> bool:
        """Whether a run that was not flagged had stopped learning."""
        return not self.flagged and self.later - self.psnr < PLATEAU_MAX_RANGE


def continue_runs(folder: str, most: int) -> list[ContinuedRun]:
    """Trains up to `most` flagged runs of a study again, and as many that show nothing."""
    study = load_study(folder)
    spec = study.spec
    scene = load(spec["scene"], downscale=spec["downscale"], background=spec["background"])
    trivial = max(study.trivial_psnrs.values())
    runs = []
    for outcome in (COLLAPSED, SHOWS_NOTHING):
        of_outcome = study.trials[study.trials["outcome"] == outcome]
        stride = max(len(of_outcome) // most, 1)
        for _, row in of_outcome.iloc[::stride].head(most).iterrows():
            later = _train_unwatched(row, scene)
            runs.append(
                ContinuedRun(
                    study.name, row["trial_id"], outcome == COLLAPSED, row["psnr"], later, trivial
                )
            )
    return runs


def _train_unwatched(row: Mapping[str, Any], scene: Scene) -> float:
    """Held-out PSNR (dB) after twice the steps of a trial, with its config and seed."""
    paths = [path for path in list_parameters() if path in row and path not in DERIVED]
    settings: dict[str, Value] = {}
    for path in paths:
        value = row[path]
        settings[path] = value.item() if hasattr(value, "item") else value
    run = TrainingRun(build(settings), scene)
    for _ in range(2 * run.config.optimisation.steps):
        run.advance()
    return evaluate(run.model, scene, "val", run.config.evaluation.final_pixels).psnr


def report_studies(folders: Sequence[str], most: int, json_file: Path | None) -> int:
    """Prints and saves how many verdicts of the studies' runs were wrong."""
    runs: list[ContinuedRun] = []
    rows: list[list[object]] = []
    for folder in folders:
        of_study = continue_runs(folder, most)
        flagged = [run for run in of_study if run.flagged]
        others = [run for run in of_study if not run.flagged]
        runs += of_study
        alarms, missed = sum(r.false_alarm for r in flagged), sum(r.missed for r in others)
        rows.append([Path(folder).name, len(flagged), alarms, len(others), missed])
        print(f"{folder}: done", flush=True)
    columns = ["study", "flagged", "of them recover", "show nothing", "of them have collapsed"]
    print_table("runs of studies, trained again without the watch", columns, rows)
    save_json(json_file, "health of studies", {"runs": [dataclasses.asdict(run) for run in runs]})
    return 0
