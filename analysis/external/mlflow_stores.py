"""MLflow's two local stores, a folder `mlruns` and a SQLite file, read without MLflow.

Only the files of the store itself are read: no artifact location is followed.
"""

from __future__ import annotations

import math
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.external.counts import count
from analysis.external.sqlite_copy import open_copy
from nerf.common.errors import InputError

Point = tuple[int, int, float]
"""A metric's value with the step and the time, in ms, that sort it."""

_MAX_META_BYTES = 2**20
_FILE_STATUSES = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
_DATABASE_INFINITY = 1.7976931348623157e308
"""The number that MLflow writes to a database for an infinite one."""


@dataclass(frozen=True)
class Run:
    """A run as its store states it; `parent` is empty for one that is not nested; times in ms."""

    run_id: str
    name: str
    status: str
    started: float
    ended: float
    params: Mapping[str, str]
    metrics: Mapping[str, Sequence[Point]]
    parent: str


@dataclass(frozen=True)
class Experiment:
    """An experiment's runs that are not deleted, and what of it is not in them."""

    name: str
    runs: Sequence[Run]
    left_out: tuple[str, ...]


def find_store(path: Path) -> Path | None:
    """The folder of the experiments, `path` or its `mlruns`; or `path` if it is one experiment."""
    for folder in (path, path / "mlruns"):
        if (folder / "meta.yaml").is_file() or any(folder.glob("*/meta.yaml")):
            return folder
    return None


def read_file_store(store: Path) -> tuple[list[Experiment], int]:
    """The experiments in a folder, and how many were deleted."""
    if (store / "meta.yaml").is_file():
        return [_read_experiment(store)], 0
    experiments, deleted = [], len(list(store.glob(".trash/*/meta.yaml")))
    for meta in sorted(store.glob("*/meta.yaml")):
        if (_read_meta(meta) or {}).get("lifecycle_stage") == "deleted":
            deleted += 1
        else:
            experiments.append(_read_experiment(meta.parent))
    return experiments, deleted


def _read_experiment(folder: Path) -> Experiment:
    runs, deleted, damaged_runs, damaged_lines = [], 0, 0, 0
    for meta in sorted(folder.glob("*/meta.yaml")):
        facts = _read_meta(meta)
        if facts is None:
            damaged_runs += 1
        elif facts.get("lifecycle_stage") == "deleted":
            deleted += 1
        else:
            run, damaged = _read_run(meta.parent, facts)
            runs.append(run)
            damaged_lines += damaged
    facts = _read_meta(folder / "meta.yaml")
    lacking = {
        count(deleted, "deleted run"): deleted,
        f"{count(damaged_runs, 'run')} with a damaged meta.yaml": damaged_runs,
        f"{count(damaged_lines, 'damaged line')} of metrics": damaged_lines,
        "the experiment's name, as its meta.yaml is damaged": facts is None,
    }
    left_out = [sentence for sentence, number in lacking.items() if number]
    return Experiment(str((facts or {}).get("name") or folder.name), runs, tuple(left_out))


def _read_run(folder: Path, facts: Mapping[str, Any]) -> tuple[Run, int]:
    """A run, and the number of damaged lines in its metrics."""
    tags = {name: _read_text(file) for name, file in _files(folder / "tags")}
    metrics: dict[str, list[Point]] = {}
    damaged = 0
    for name, file in _files(folder / "metrics"):
        metrics[name], torn = _read_points(_read_text(file))
        damaged += torn
    status = facts.get("status")
    run = Run(
        run_id=str(facts.get("run_id") or facts.get("run_uuid") or folder.name),
        name=str(facts.get("run_name") or tags.get("mlflow.runName") or ""),
        status=_FILE_STATUSES.get(status, str(status)) if isinstance(status, int) else str(status),
        started=_time(facts.get("start_time")),
        ended=_time(facts.get("end_time")),
        params={name: _read_text(file).strip() for name, file in _files(folder / "params")},
        metrics=metrics,
        parent=tags.get("mlflow.parentRunId", "").strip(),
    )
    return run, damaged


def _read_points(text: str) -> tuple[list[Point], int]:
    """The lines `time value step` of a metric, and how many are damaged.

    MLflow ends each line: the last number of one without an end may be cut.
    """
    points, damaged = [], 0
    for line in text.splitlines(keepends=True):
        try:
            time, value, *step = line.split()
            if not line.endswith("\n"):
                raise ValueError(line)
            points.append((int(step[0]) if step else 0, int(time), float(value)))
        except ValueError:
            damaged += 1
    return points, damaged


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Names, in which "/" stands for a subfolder, and files; symbolic links may lead elsewhere."""
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.is_symlink():
            yield file.relative_to(folder).as_posix(), file


def _read_text(file: Path) -> str:
    return file.read_bytes().decode(errors="replace")


def _read_meta(file: Path) -> dict[str, Any] | None:
    """The facts in a meta.yaml; None if it is damaged."""
    try:
        import yaml
    except ImportError:
        raise InputError(f"install pyyaml to read {file.parent}: pip install pyyaml") from None
    if file.stat().st_size > _MAX_META_BYTES:
        return None
    try:
        facts = yaml.safe_load(file.read_bytes())
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        return None
    return facts if isinstance(facts, dict) else None


def _time(value: object) -> float:
    return float(value) if isinstance(value, int) and abs(value) < 2**60 else math.nan


def read_database(path: Path) -> tuple[list[Experiment], int]:
    """The experiments in a SQLite file, and how many were deleted."""
    with open_copy(path) as database:
        try:
            return _read_tables(database)
        except (sqlite3.Error, ValueError, TypeError, OverflowError) as error:
            raise InputError(
                f"{path} is no tracking database of MLflow ({error}); export the runs as CSV"
            ) from None


def _read_tables(database: sqlite3.Connection) -> tuple[list[Experiment], int]:
    params = _by_run(database, "SELECT run_uuid, key, value FROM params")
    tags = _by_run(
        database,
        "SELECT run_uuid, key, value FROM tags "
        "WHERE key IN ('mlflow.runName', 'mlflow.parentRunId')",
    )
    metrics: dict[str, dict[str, list[Point]]] = defaultdict(lambda: defaultdict(list))
    for run, key, step, time, value, is_nan in database.execute(
        "SELECT run_uuid, key, step, timestamp, value, is_nan FROM metrics"
    ):
        metrics[run][key].append((int(step), int(time), _restore(value, bool(is_nan))))
    runs: dict[int, list[Run]] = defaultdict(list)
    deleted_runs: dict[int, int] = defaultdict(int)
    for run, name, status, started, ended, stage, experiment in database.execute(
        "SELECT run_uuid, name, status, start_time, end_time, lifecycle_stage, experiment_id "
        "FROM runs"
    ):
        if stage == "deleted":
            deleted_runs[experiment] += 1
            continue
        runs[experiment].append(
            Run(
                run_id=str(run),
                name=str(name or tags[run].get("mlflow.runName") or ""),
                status=str(status),
                started=_time(started),
                ended=_time(ended),
                params=params[run],
                metrics=metrics[run],
                parent=tags[run].get("mlflow.parentRunId", ""),
            )
        )
    experiments, deleted = [], 0
    for experiment, name, stage in database.execute(
        "SELECT experiment_id, name, lifecycle_stage FROM experiments ORDER BY experiment_id"
    ):
        if stage == "deleted":
            deleted += 1
            continue
        lacking = deleted_runs[experiment]
        left_out = (count(lacking, "deleted run"),) if lacking else ()
        experiments.append(Experiment(str(name), runs[experiment], left_out))
    return experiments, deleted


def _by_run(database: sqlite3.Connection, query: str) -> dict[str, dict[str, str]]:
    values: dict[str, dict[str, str]] = defaultdict(dict)
    for run, key, value in database.execute(query):
        values[run][str(key)] = str(value).strip()
    return values


def _restore(value: float, is_nan: bool) -> float:
    if is_nan:
        return math.nan
    infinite = abs(value) >= _DATABASE_INFINITY
    return math.copysign(math.inf, value) if infinite else float(value)
