"""Files that hold no sweep, or not one that can be read: each is to be refused in one line."""

from __future__ import annotations

import pickle
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

from foreign.case import Truth, case
from foreign.optuna_writing import DECLARED, make_trials, open_sqlite, write_study
from foreign.sample import draw_sample
from foreign.writing import as_columns, write_csv

_METRIC = "--metric accuracy"


@case(_METRIC)
def empty_file(folder: Path) -> tuple[Path, Truth]:
    """No bytes at all."""
    return _write(folder / "runs.csv", b""), Truth(refusal="empty")


@case(_METRIC)
def heading_alone(folder: Path) -> tuple[Path, Truth]:
    """A CSV with a heading and no rows."""
    return _write(folder / "runs.csv", b"lr,width,accuracy\n"), Truth(refusal="no rows")


@case(_METRIC)
def pickle_named_csv(folder: Path) -> tuple[Path, Truth]:
    """A pickle, which can run any code."""
    data = pickle.dumps({"lr": [1, 2], "accuracy": [1, 2]})
    return _write(folder / "runs.csv", data), Truth(refusal="pickle.*export")


@case(_METRIC)
def zip_archive(folder: Path) -> tuple[Path, Truth]:
    """A zip of two CSVs."""
    path = folder / "runs.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "lr,accuracy\n1,2\n")
        archive.writestr("b.csv", "lr,accuracy\n1,2\n")
    return path, Truth(refusal="zip.*unpack")


@case(_METRIC)
def other_database(folder: Path) -> tuple[Path, Truth]:
    """A SQLite file of something else."""
    path = folder / "app.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE users (name TEXT)")
    return path, Truth(refusal="neither Optuna nor MLflow")


@case(_METRIC)
def database_cut_off(folder: Path) -> tuple[Path, Truth]:
    """An Optuna storage cut off in the middle."""
    whole = folder / "whole.db"
    write_study(open_sqlite(whole), make_trials(draw_sample(121, trials=20), DECLARED))
    data = whole.read_bytes()
    return _write(folder / "cut.db", data[: len(data) // 2]), Truth(refusal="damaged|malformed")


@case(_METRIC)
def missing_file(folder: Path) -> tuple[Path, Truth]:
    """A name that does not exist."""
    return folder / "nothing.csv", Truth(refusal="does not exist")


@case("--metric accurcay")
def misspelt_metric(folder: Path) -> tuple[Path, Truth]:
    """--metric accurcay."""
    path = write_csv(folder / "runs.csv", as_columns(draw_sample(122)))
    return path, Truth(refusal="did you mean.*accuracy")


@case(f"{_METRIC} --prior widht=1:9", f"{_METRIC} --prior widht=1:9")
def misspelt_prior(folder: Path) -> tuple[Path, Truth]:
    """--prior of an unknown name."""
    path = write_csv(folder / "runs.csv", as_columns(draw_sample(123)))
    return path, Truth(refusal="did you mean.*width")


@case(f"{_METRIC} --ignore lr,width,dropout", _METRIC)
def everything_ignored(folder: Path) -> tuple[Path, Truth]:
    """--ignore leaves no parameter."""
    path = write_csv(folder / "runs.csv", as_columns(draw_sample(124)))
    return path, Truth(refusal="no parameter|varies no")


def _write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path
