"""Writes MLflow's two local stores, a folder and a SQLite file, with the same runs."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import yaml

LARGEST = 1.7976931348623157e308
STATUSES = {"RUNNING": 1, "SCHEDULED": 2, "FINISHED": 3, "FAILED": 4, "KILLED": 5}


@dataclass(frozen=True)
class FakeRun:
    """A run; metrics are (timestamp, value, step)."""

    run_id: str
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, Sequence[tuple[int, float, int]]] = field(default_factory=dict)
    name: str = ""
    status: str = "FINISHED"
    parent: str = ""
    deleted: bool = False
    start: int = 1000


Experiments = Mapping[str, Sequence[FakeRun]]
"""Runs by the experiment's name; a name in brackets is of a deleted one."""


def write_file_store(store: Path, experiments: Experiments) -> Path:
    for number, (name, runs) in enumerate(experiments.items()):
        deleted = name.startswith("(")
        folder = store / ".trash" / str(number) if deleted else store / str(number)
        write_meta(
            folder, experiment_id=str(number), name=name, lifecycle_stage=stage(deleted),
            artifact_location="file:///nowhere",
        )  # fmt: skip
        for run in runs:
            write_run(folder / run.run_id, run)
    return store


def write_run(folder: Path, run: FakeRun) -> None:
    write_meta(
        folder, run_id=run.run_id, run_name=run.name, status=STATUSES[run.status],
        start_time=run.start, end_time=run.start + 2000, lifecycle_stage=stage(run.deleted),
        artifact_uri="file:///nowhere", tags=[],
    )  # fmt: skip
    for key, value in run.params.items():
        write_text(folder / "params" / key, value)
    for key, points in run.metrics.items():
        lines = [f"{time} {value} {step}\n" for time, value, step in points]
        write_text(folder / "metrics" / key, "".join(lines))
    if run.parent:
        write_text(folder / "tags" / "mlflow.parentRunId", run.parent)


def stage(deleted: bool) -> str:
    return "deleted" if deleted else "active"


def write_meta(folder: Path, **facts: object) -> None:
    write_text(folder / "meta.yaml", yaml.safe_dump(facts))


def write_text(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


_TABLES = """
CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name VARCHAR(256),
    artifact_location VARCHAR(256), lifecycle_stage VARCHAR(32));
CREATE TABLE runs (run_uuid VARCHAR(32) PRIMARY KEY, name VARCHAR(250), status VARCHAR(9),
    start_time BIGINT, end_time BIGINT, lifecycle_stage VARCHAR(20), artifact_uri VARCHAR(200),
    experiment_id INTEGER);
CREATE TABLE params ("key" VARCHAR(250), value VARCHAR(8000), run_uuid VARCHAR(32));
CREATE TABLE tags ("key" VARCHAR(250), value VARCHAR(8000), run_uuid VARCHAR(32));
CREATE TABLE metrics ("key" VARCHAR(250), value FLOAT, timestamp BIGINT, run_uuid VARCHAR(32),
    step BIGINT, is_nan BOOLEAN);
CREATE TABLE latest_metrics ("key" VARCHAR(250), value FLOAT, timestamp BIGINT, step BIGINT,
    is_nan BOOLEAN, run_uuid VARCHAR(32));
"""


def write_database(path: Path, experiments: Experiments) -> Path:
    with closing(sqlite3.connect(path)) as database:
        database.executescript(_TABLES)
        for number, (name, runs) in enumerate(experiments.items()):
            database.execute(
                "INSERT INTO experiments VALUES (?, ?, 'file:///nowhere', ?)",
                (number, name, stage(name.startswith("("))),
            )
            for run in runs:
                insert_run(database, number, run)
        database.commit()
    return path


def insert_run(database: sqlite3.Connection, experiment: int, run: FakeRun) -> None:
    database.execute(
        "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, 'file:///nowhere', ?)",
        (run.run_id, run.name, run.status, run.start, run.start + 2000, stage(run.deleted),
         experiment),
    )  # fmt: skip
    for key, value in run.params.items():
        database.execute("INSERT INTO params VALUES (?, ?, ?)", (key, value, run.run_id))
    if run.parent:
        tag = ("mlflow.parentRunId", run.parent, run.run_id)
        database.execute("INSERT INTO tags VALUES (?, ?, ?)", tag)
    for key, points in run.metrics.items():
        for time, value, step in points:
            # A database holds no NaN and no infinity: MLflow writes a flag and the largest number.
            number = 0.0 if math.isnan(value) else min(max(value, -LARGEST), LARGEST)
            database.execute(
                "INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)",
                (key, number, time, run.run_id, step, math.isnan(value)),
            )
