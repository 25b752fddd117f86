"""Storages of Optuna: their files, their studies and objectives."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import optuna
from optuna.storages import BaseStorage
from optuna.trial import create_trial

from foreign.case import Truth, case
from foreign.optuna_writing import (
    DECLARED,
    declare,
    make_trials,
    open_journal,
    open_sqlite,
    write_journal,
    write_schema_2_10,
    write_study,
)
from foreign.sample import LR, PARAMETERS, Parameter, Sample, draw_sample


@case()
def optuna_minimize(folder: Path) -> tuple[Path, Truth]:
    """SQLite, minimised: Optuna's default."""
    sample = draw_sample(71, scale=-0.05)
    path = folder / "study.db"
    write_study(open_sqlite(path), make_trials(sample, DECLARED), direction="minimize")
    return path, sample.truth(minimize=True)


@case()
def optuna_journal(folder: Path) -> tuple[Path, Truth]:
    """A journal, maximised."""
    return write_journal(folder, draw_sample(72))


@case()
def optuna_2_10(folder: Path) -> tuple[Path, Truth]:
    """The schema of Optuna 2.10, with its log ranges, also of integers; minimised."""
    parameters = (
        LR,
        Parameter("units", 0.25, 8, 512, log=True, whole=True),
        PARAMETERS[2],
    )
    sample = draw_sample(73, parameters=parameters, scale=-0.05)
    trials = make_trials(sample, declare(parameters))
    path = write_schema_2_10(folder / "old.db", trials, "minimize")
    return path, sample.truth(minimize=True)


@case()
def optuna_two_studies(folder: Path) -> tuple[Path, Truth]:
    """Two studies, in which lr has opposite effects; no options."""
    path, _ = _two_studies(folder)
    return path, Truth(refusal="--study-name.*down.*96 trials")


@case("--study-name down", "")
def optuna_one_of_two_studies(folder: Path) -> tuple[Path, Truth]:
    """The same with --study-name."""
    path, sample = _two_studies(folder)
    return path, sample.truth()


@case()
def optuna_deleted_study(folder: Path) -> tuple[Path, Truth]:
    """A journal of two studies, the other of which was deleted."""
    path = folder / "optuna.journal"
    sample = draw_sample(75)
    storage = open_journal(path)
    _write(storage, gone=draw_sample(76, scale=-0.5), here=sample)
    optuna.delete_study(study_name="gone", storage=storage)
    return path, sample.truth()


@case()
def optuna_two_objectives(folder: Path) -> tuple[Path, Truth]:
    """Two objectives and no option."""
    path, _ = _two_objectives(folder)
    return path, Truth(refusal="--metric.*seconds")


@case("--metric seconds", "")
def optuna_second_objective(folder: Path) -> tuple[Path, Truth]:
    """The second one by --metric: it is minimised, and depends on the width alone."""
    path, seconds = _two_objectives(folder)
    best, count = float(seconds.min()), len(seconds)
    dead = ("lr", "dropout")
    return path, Truth({"width": 0.98}, dead=dead, best=best, completed=count)


def _two_studies(folder: Path) -> tuple[Path, Sample]:
    path = folder / "study.db"
    down = draw_sample(77, scale=-0.05)
    _write(open_sqlite(path), up=draw_sample(74), down=down)
    return path, down


def _write(storage: BaseStorage, **samples: Sample) -> None:
    """Writes a study of each sample under its name."""
    for name, sample in samples.items():
        write_study(storage, make_trials(sample, DECLARED), name)


def _two_objectives(folder: Path) -> tuple[Path, np.ndarray]:
    sample = draw_sample(80)
    slow = draw_sample(81, parameters=(Parameter("width", 0.98, choices=(32, 64, 128, 256)),))
    places = {32: 0, 64: 1, 128: 2, 256: 3}
    steps = np.array([places[width] for width in sample.columns["width"]])
    noise = np.random.default_rng(81).normal(size=len(slow))
    seconds = 60 + 10 * (0.98**0.5 * (steps - 1.5) / 1.25**0.5 + 0.02**0.5 * noise)
    study = optuna.create_study(
        storage=open_journal(folder / "optuna.journal"), directions=["maximize", "minimize"]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names of metrics are experimental
        study.set_metric_names(["accuracy", "seconds"])
    for row, *values in zip(sample.rows(), sample.metric.tolist(), seconds.tolist(), strict=True):
        study.add_trial(create_trial(params=row, distributions=DECLARED, values=values))
    return folder / "optuna.journal", seconds
