"""Stores of MLflow: folders `mlruns` and SQLite files."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import yaml

from foreign.case import Truth, case
from foreign.sample import Sample, draw_sample

_FINISHED, _FAILED, _RUNNING = 3, 4, 1
_STATUSES = {_RUNNING: "RUNNING", _FINISHED: "FINISHED", _FAILED: "FAILED"}

_TABLES = """
CREATE TABLE experiments (experiment_id INTEGER, name TEXT, lifecycle_stage TEXT);
CREATE TABLE runs (run_uuid TEXT, name TEXT, status TEXT, start_time BIGINT, end_time BIGINT,
    lifecycle_stage TEXT, experiment_id INTEGER);
CREATE TABLE params (key TEXT, value TEXT, run_uuid TEXT);
CREATE TABLE tags (key TEXT, value TEXT, run_uuid TEXT);
CREATE TABLE metrics (key TEXT, value FLOAT, timestamp BIGINT, run_uuid TEXT, step BIGINT,
    is_nan BOOLEAN);
"""


@dataclass(frozen=True)
class _Run:
    key: str
    params: dict[str, str]
    metric: float
    status: int = _FINISHED
    parent: str = ""


@case("--metric accuracy")
def mlflow_folder(folder: Path) -> tuple[Path, Truth]:
    """mlruns of one experiment; one run failed, one runs."""
    sample = draw_sample(111, trials=98)
    runs = _make_runs(sample)
    runs[0] = _Run("r000", runs[0].params, runs[0].metric, _FAILED)
    runs[1] = _Run("r001", runs[1].params, runs[1].metric, _RUNNING)
    _write_folder(folder / "mlruns" / "1", "tune", runs)
    best = float(sample.metric[2:].max())
    return folder / "mlruns", sample.truth(best=best, completed=96)


@case("--metric accuracy")
def mlflow_sqlite(folder: Path) -> tuple[Path, Truth]:
    """The same kind in SQLite, with a metric over ten steps."""
    sample = draw_sample(112)
    return _write_database(folder / "mlflow.db", {"tune": _make_runs(sample)}), sample.truth()


@case("--metric accuracy")
def mlflow_two_experiments(folder: Path) -> tuple[Path, Truth]:
    """Two experiments with runs and an empty one; which?"""
    experiments = {
        "Default": [],
        "a": _make_runs(draw_sample(113, trials=20)),
        "b": _make_runs(draw_sample(114, trials=20)),
    }
    return _write_database(folder / "mlflow.db", experiments), Truth(
        refusal="--study-name.*a \\(20"
    )


@case("--metric accuracy")
def mlflow_nested_runs(folder: Path) -> tuple[Path, Truth]:
    """A parent over 96 children."""
    sample = draw_sample(115)
    children = [_Run(r.key, r.params, r.metric, parent="top") for r in _make_runs(sample)]
    best = float(sample.metric.max())
    runs = [_Run("top", {"budget": "96"}, best), *children]
    _write_folder(folder / "mlruns" / "1", "tune", runs)
    return folder / "mlruns", sample.truth()


def _make_runs(sample: Sample) -> list[_Run]:
    """Runs whose parameters are text, as MLflow stores them."""
    pairs = zip(sample.rows(), sample.metric.tolist(), strict=True)
    return [
        _Run(f"r{index:03d}", {name: str(value) for name, value in row.items()}, metric)
        for index, (row, metric) in enumerate(pairs)
    ]


def _write_folder(folder: Path, name: str, runs: list[_Run]) -> None:
    _write_meta(folder, {"experiment_id": "1", "name": name, "lifecycle_stage": "active"})
    for place, run in enumerate(runs):
        facts = {
            "run_id": run.key, "status": run.status, "start_time": 1000 * place,
            "end_time": 1000 * place + 500, "lifecycle_stage": "active",
        }  # fmt: skip
        _write_meta(folder / run.key, facts)
        for kind in ("params", "metrics", "tags"):
            (folder / run.key / kind).mkdir()
        for key, value in run.params.items():
            (folder / run.key / "params" / key).write_text(value)
        (folder / run.key / "metrics" / "accuracy").write_text(f"1000 {run.metric!r} 0\n")
        if run.parent:
            (folder / run.key / "tags" / "mlflow.parentRunId").write_text(run.parent)


def _write_meta(folder: Path, facts: dict[str, object]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "meta.yaml").write_text(yaml.safe_dump(facts))


def _write_database(path: Path, experiments: dict[str, list[_Run]]) -> Path:
    with closing(sqlite3.connect(path)) as database:
        database.executescript(_TABLES)
        for number, (name, runs) in enumerate(experiments.items()):
            database.execute("INSERT INTO experiments VALUES (?, ?, 'active')", (number, name))
            for place, run in enumerate(runs):
                key = f"{number}{run.key}"
                values = (key, run.key, _STATUSES[run.status], 1000 * place, number)
                database.execute("INSERT INTO runs VALUES (?, ?, ?, ?, 0, 'active', ?)", values)
                params = [(name, value, key) for name, value in run.params.items()]
                database.executemany("INSERT INTO params VALUES (?, ?, ?)", params)
                points = [("accuracy", run.metric * s / 10, s, key, s) for s in range(1, 11)]
                database.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, 0)", points)
        database.commit()
    return path
