"""Hyperparameter studies of NeRFs with Ray Tune and Optuna: one sweep is one study folder.

From Python or a notebook:

    from study import Study

    study = Study.create("bounds", vary={"sampling.near": (0.5, 4), "sampling.span": None})
    study.run()                 # as `run_sweep.py` does; Ctrl-C stops it, study.resume() continues
    study.trials                # a pandas frame, while it runs too: Study.open("studies/bounds")
    study.extend(64)

Commands: `study/run_sweep.py` runs or resumes a study, `study/status.py` shows how far it is,
`study/wandb_workspace.py` saves a W&B workspace for it.

Rooms, each importing only from those after it:

    api         `Study` for scripts and notebooks, `StudySearcher` for Ray Tune
    cli         options of `run_sweep.py`, and the plan of a new, resumed or extended study
    driver      the process that launches Ray Tune and manages trials
    worker      the process that trains one trial
    trackers    a trial as a run of W&B, TensorBoard or MLflow
    storage     the study's copy in a folder, s3:// or gs://
    ledger      the Optuna journal: which trials exist and how they ended
    monitor     progress, on a terminal or as lines of text
    records     the study folder and its tables
    search      which configuration comes next: design, samplers, replicates, halving
    spec        what a study is asked to do: search space, budget, study files
    protocol    what driver and worker send each other
    trainers    what trains a trial: the NeRF, or a function of the user

Begin with `spec/study_spec.py`, then `driver/launch.py` and `worker/trainable.py`. This is the only
package that imports Ray and runs Optuna.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from study.api.study import Study as Study
    from study.api.study import StudyInterrupted as StudyInterrupted
    from study.api.tune_pieces import StudyScheduler as StudyScheduler
    from study.api.tune_pieces import StudySearcher as StudySearcher

_HOMES = {
    "Study": "study.api.study",
    "StudyInterrupted": "study.api.study",
    "StudyScheduler": "study.api.tune_pieces",
    "StudySearcher": "study.api.tune_pieces",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    """Imports what this package offers when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
