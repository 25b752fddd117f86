"""Writes small Optuna storages: by the Optuna installed, and with the schema of Optuna 2.10."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import Trial, TrialState

optuna.logging.set_verbosity(optuna.logging.ERROR)


def open_journal(path: Path) -> JournalStorage:
    return JournalStorage(JournalFileBackend(str(path), JournalFileOpenLock(str(path))))


def suggest_all(trial: Trial) -> float:
    """One parameter of each kind: log, integer in log, stepped, integer stepped, and a choice."""
    rate = trial.suggest_float("lr", 1e-5, 1.0, log=True)
    width = trial.suggest_int("width", 8, 1024, log=True)
    drop = trial.suggest_float("drop", 0.0, 0.5, step=0.25)
    depth = trial.suggest_int("depth", 2, 8, step=2)
    trial.suggest_categorical("norm", ["batch", None, True, 2])
    return rate + width + drop + depth


def run_states(study: optuna.Study) -> None:
    """Trials 0 to 5: failed early, completed, failed, pruned, running, waiting."""
    study.tell(study.ask(), state=TrialState.FAIL)
    for outcome in ("complete", "fail", "prune", "run"):
        trial = study.ask()
        value = suggest_all(trial)
        trial.report(value / 2, 1)
        trial.report(float("inf") if outcome == "prune" else value, 2)
        trial.set_user_attr("accuracy", 0.5)
        trial.set_user_attr("lr", 3)
        trial.set_user_attr("tag", "a")
        if outcome == "complete":
            study.tell(trial, value)
        elif outcome == "fail":
            study.tell(trial, state=TrialState.FAIL)
        elif outcome == "prune":
            study.tell(trial, state=TrialState.PRUNED)
    study.enqueue_trial({"lr": 0.1})


_TABLES_2_10 = """
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
CREATE TABLE version_info (version_info_id INTEGER NOT NULL PRIMARY KEY, schema_version INTEGER,
    library_version VARCHAR(256), CHECK (version_info_id = 1));
CREATE TABLE studies (study_id INTEGER NOT NULL PRIMARY KEY, study_name VARCHAR(512) NOT NULL);
CREATE UNIQUE INDEX ix_studies_study_name ON studies (study_name);
CREATE TABLE study_directions (study_direction_id INTEGER NOT NULL PRIMARY KEY,
    direction VARCHAR(8) NOT NULL, study_id INTEGER NOT NULL REFERENCES studies (study_id),
    objective INTEGER NOT NULL, UNIQUE (study_id, objective));
CREATE TABLE trials (trial_id INTEGER NOT NULL PRIMARY KEY, number INTEGER,
    study_id INTEGER REFERENCES studies (study_id), state VARCHAR(8) NOT NULL,
    datetime_start DATETIME, datetime_complete DATETIME);
CREATE TABLE trial_params (param_id INTEGER NOT NULL PRIMARY KEY,
    trial_id INTEGER REFERENCES trials (trial_id), param_name VARCHAR(512), param_value FLOAT,
    distribution_json TEXT, UNIQUE (trial_id, param_name));
CREATE TABLE trial_values (trial_value_id INTEGER NOT NULL PRIMARY KEY,
    trial_id INTEGER NOT NULL REFERENCES trials (trial_id), objective INTEGER NOT NULL,
    value FLOAT NOT NULL, UNIQUE (trial_id, objective));
CREATE TABLE trial_intermediate_values (
    trial_intermediate_value_id INTEGER NOT NULL PRIMARY KEY,
    trial_id INTEGER NOT NULL REFERENCES trials (trial_id), step INTEGER NOT NULL,
    intermediate_value FLOAT NOT NULL, UNIQUE (trial_id, step));
CREATE TABLE trial_heartbeats (trial_heartbeat_id INTEGER NOT NULL PRIMARY KEY,
    trial_id INTEGER NOT NULL UNIQUE REFERENCES trials (trial_id), heartbeat DATETIME NOT NULL);
CREATE TABLE study_user_attributes (study_user_attribute_id INTEGER NOT NULL PRIMARY KEY,
    study_id INTEGER REFERENCES studies (study_id), "key" VARCHAR(512), value_json TEXT,
    UNIQUE (study_id, "key"));
CREATE TABLE study_system_attributes (study_system_attribute_id INTEGER NOT NULL PRIMARY KEY,
    study_id INTEGER REFERENCES studies (study_id), "key" VARCHAR(512), value_json TEXT,
    UNIQUE (study_id, "key"));
CREATE TABLE trial_user_attributes (trial_user_attribute_id INTEGER NOT NULL PRIMARY KEY,
    trial_id INTEGER REFERENCES trials (trial_id), "key" VARCHAR(512), value_json TEXT,
    UNIQUE (trial_id, "key"));
CREATE TABLE trial_system_attributes (trial_system_attribute_id INTEGER NOT NULL PRIMARY KEY,
    trial_id INTEGER REFERENCES trials (trial_id), "key" VARCHAR(512), value_json TEXT,
    UNIQUE (trial_id, "key"));
INSERT INTO alembic_version VALUES ('v2.6.0.a');
INSERT INTO version_info VALUES (1, 12, '2.10.1');
INSERT INTO studies VALUES (1, 'old');
"""

_DISTRIBUTIONS_2_10 = {
    "lr": ("LogUniformDistribution", {"low": 1e-5, "high": 1.0}),
    "width": ("IntLogUniformDistribution", {"low": 8, "high": 1024, "step": 1}),
    "drop": ("DiscreteUniformDistribution", {"low": 0.0, "high": 0.5, "q": 0.25}),
    "depth": ("IntUniformDistribution", {"low": 2, "high": 8, "step": 2}),
    "wd": ("UniformDistribution", {"low": 0.0, "high": 1.0}),
    "norm": ("CategoricalDistribution", {"choices": ["batch", None, True, 2]}),
}


def write_optuna_2_10(
    path: Path, rows: Sequence[tuple[float, ...]], direction: str = "MINIMIZE"
) -> None:
    """A storage as Optuna 2.10 wrote it; a row has six internal values and the objective."""
    with closing(sqlite3.connect(path)) as database:
        database.executescript(_TABLES_2_10)
        database.execute("INSERT INTO study_directions VALUES (1, ?, 1, 0)", (direction,))
        for number, (*values, objective) in enumerate(rows):
            trial = number + 1
            times = ("2022-01-01 10:00:00.000000", "2022-01-01 10:00:05.500000")
            database.execute(
                "INSERT INTO trials VALUES (?, ?, 1, 'COMPLETE', ?, ?)", (trial, number, *times)
            )
            database.execute(
                "INSERT INTO trial_values (trial_id, objective, value) VALUES (?, 0, ?)",
                (trial, objective),
            )
            for (name, (kind, attributes)), value in zip(
                _DISTRIBUTIONS_2_10.items(), values, strict=True
            ):
                text = json.dumps({"name": kind, "attributes": attributes})
                database.execute(
                    "INSERT INTO trial_params (trial_id, param_name, param_value, "
                    "distribution_json) VALUES (?, ?, ?, ?)",
                    (trial, name, value, text),
                )
        database.commit()
