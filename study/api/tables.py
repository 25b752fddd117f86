"""Tables of a study as of now: of trials that have ended, from their records, and running ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from study.ledger.journal import read_trials
from study.records.schema import SCENE_COLUMN, trial_id
from study.records.study_folder import StudyFolder
from study.search.trial_values import scene_of, trial_values
from study.spec.study_spec import StudySpec

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

RUNNING = "running"


def read_trials_now(folder: StudyFolder) -> pd.DataFrame:
    """A row for each trial that has ended, and for each that is running; empty before the first."""
    if not folder.spec_file.exists():
        return folder.read_trials()
    if not folder.journal.exists():  # a copy for analysis
        return folder.read_trials()
    spec = StudySpec.from_json(folder.read_spec())
    # The journal first: a trial that ends in between has a record, and counts once.
    trials = read_trials(folder)
    records = folder.records()
    ended = {record["trial"]["number"] for record in records}
    running = [
        {"trial": _running_row(trial, spec), "curve": []}
        for trial in trials
        if trial.number not in ended and not trial.state.is_finished()
    ]
    everything = sorted([*records, *running], key=lambda record: record["trial"]["number"])
    return folder.build_trials(everything)


def read_curves_now(folder: StudyFolder) -> pd.DataFrame:
    """A row for each report of each trial that has ended."""
    has_records = folder.spec_file.exists() and folder.journal.exists()
    return folder.build_curves(folder.records()) if has_records else folder.read_curves()


def _running_row(trial: FrozenTrial, spec: StudySpec) -> dict[str, Any]:
    """What is known of a trial that has not ended."""
    reported = trial.intermediate_values
    last = max(reported, default=0)
    started = trial.datetime_start
    values, scene = trial_values(trial), scene_of(trial)
    space = spec.of_scene(scene).space
    complete = len(values) == len(space.dimensions)  # else its driver is about to draw them
    return {
        "trial_id": trial_id(trial.number),
        "number": trial.number,
        "phase": trial.user_attrs["phase"],
        "state": RUNNING,
        "reason": "",
        "steps_done": last,
        "budget_steps": trial.user_attrs["budget_steps"],
        "train_seconds": math.nan,
        spec.objective.column: reported.get(last, math.nan),
        "started": started.astimezone().isoformat() if started else None,
        "host": "",
        "device": "",
        **({SCENE_COLUMN: scene} if scene else {}),
        **(space.complete(values, trial.user_attrs["seed"]) if complete else values),
        "seed": trial.user_attrs["seed"],
    }
