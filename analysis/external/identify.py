"""Recognises whose record a file or folder is, by its content, and reads all sweeps in it."""

from __future__ import annotations

import json
from pathlib import Path

from analysis.external.mlflow_runs import has_mlflow_runs, read_mlflow_runs
from analysis.external.optuna_storage import read_optuna_storage
from analysis.external.packed import PACKED
from analysis.external.ray_folders import find_trial_folders
from analysis.external.ray_results import read_ray_results
from analysis.external.sqlite_copy import HEADER, read_table_names
from analysis.external.sweep import Sweep
from nerf.common.errors import InputError

_FORMATS = (
    "an Optuna SQLite or journal file, a Ray Tune results folder, an MLflow folder or SQLite file, "
    "or a table (.csv, .tsv, .txt, .parquet, .json, .jsonl, .xlsx, also in .gz or .zip)"
)
_TABLES = (".csv", ".tsv", ".tab", ".txt", ".parquet", ".json", ".jsonl", ".ndjson", ".xlsx")
_HEAD_BYTES = 2**16

_UNREADABLE = {
    b"\x80\x02": "a pickle, which can run any code; export the runs as CSV",
    b"\x80\x03": "a pickle, which can run any code; export the runs as CSV",
    b"\x80\x04": "a pickle, which can run any code; export the runs as CSV",
    b"\x80\x05": "a pickle, which can run any code; export the runs as CSV",
    b":W&B": "a W&B run's log; export the project's table as CSV",
}


def read_sweeps(path: Path) -> tuple[Sweep, ...]:
    """Reads all sweeps of a file or folder of another tool; at least one comes back.

    Raises:
        InputError: it is of no known format, holds no sweep, is damaged or cannot be read.
    """
    if path.is_dir():
        sweeps = _read_folder(path)
    elif path.exists():
        sweeps = _read_file(path)
    else:
        raise InputError(f"{path} does not exist; name {_FORMATS}")
    if not sweeps:
        raise InputError(f"{path} holds no sweep, or only deleted ones; name {_FORMATS}")
    return sweeps


def _read_folder(path: Path) -> tuple[Sweep, ...]:
    if has_mlflow_runs(path):
        return read_mlflow_runs(path)
    found = find_trial_folders(path)
    if found.trials:
        return read_ray_results(path, found)
    unseen = found.list_left_out()
    raise InputError(
        f"{path} holds no results of Ray Tune or MLflow ({found.describe_search()}"
        f"{'; not into ' + ', '.join(unseen) if unseen else ''}); name {_FORMATS}"
    )


def _read_file(path: Path) -> tuple[Sweep, ...]:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error}); make it readable") from None
    if not head.strip():
        raise InputError(f"{path} is empty; name {_FORMATS}")
    if head.startswith(HEADER):
        return _read_database(path)
    for start, kind in _UNREADABLE.items():
        if head.startswith(start):
            raise InputError(f"{path} is {kind}")
    if _is_journal(head):
        return read_optuna_storage(path)
    if head.startswith(PACKED) or path.suffix.lower() in _TABLES:
        from analysis.external.flat_table import read_table

        return read_table(path)
    kind = "a binary file" if b"\0" in head else "text"
    raise InputError(f"{path} is {kind} of no known format; name {_FORMATS}")


def _read_database(path: Path) -> tuple[Sweep, ...]:
    tables = read_table_names(path)
    if {"studies", "trials"} <= tables:
        return read_optuna_storage(path)
    if {"experiments", "runs"} <= tables:
        return read_mlflow_runs(path)
    names = ", ".join(sorted(tables)[:8]) or "no tables"
    raise InputError(
        f"{path} is a SQLite file of neither Optuna nor MLflow ({names}); name {_FORMATS}"
    )


def _is_journal(head: bytes) -> bool:
    """Whether a file's first line that can be read is an operation of an Optuna journal."""
    for line in head.split(b"\n"):
        try:
            operation = json.loads(line)
        except (ValueError, RecursionError):
            continue
        return isinstance(operation, dict) and {"op_code", "worker_id"} <= operation.keys()
    return False
