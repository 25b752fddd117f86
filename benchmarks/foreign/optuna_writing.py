"""Writes Optuna storages: SQLite of today and with the schema of Optuna 2.10, and journals."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, create_trial

from foreign.case import Truth
from foreign.sample import PARAMETERS, Parameter, Sample

Direction = Literal["maximize", "minimize"]

optuna.logging.set_verbosity(optuna.logging.ERROR)


def open_journal(path: Path) -> BaseStorage:
    """A journal storage in this file."""
    return JournalStorage(JournalFileBackend(str(path)))


def open_sqlite(path: Path) -> BaseStorage:
    """A SQLite storage in this file."""
    return optuna.storages.RDBStorage(f"sqlite:///{path}")


def declare(parameters: Iterable[Parameter]) -> dict[str, BaseDistribution]:
    """The distributions of the parameters."""
    return {p.name: _declare(p) for p in parameters}


def make_trials(
    sample: Sample, distributions: Mapping[str, BaseDistribution], **more: Any
) -> list[FrozenTrial]:
    """A completed trial for each of a sample."""
    return [
        create_trial(params=row, distributions=dict(distributions), value=value, **more)
        for row, value in zip(sample.rows(), sample.metric.tolist(), strict=True)
    ]


def write_study(
    storage: BaseStorage,
    trials: Iterable[FrozenTrial],
    name: str = "search",
    direction: Direction = "maximize",
) -> optuna.Study:
    """A study with these trials."""
    study = optuna.create_study(storage=storage, study_name=name, direction=direction)
    study.add_trials(trials)
    return study


def write_journal(
    folder: Path, sample: Sample, parameters: Sequence[Parameter] = PARAMETERS
) -> tuple[Path, Truth]:
    """A journal with a maximised study of the sample."""
    path = folder / "optuna.journal"
    write_study(open_journal(path), make_trials(sample, declare(parameters)))
    return path, sample.truth()


def write_schema_2_10(path: Path, trials: Iterable[FrozenTrial], direction: Direction) -> Path:
    """A storage as Optuna 2.10 wrote it: a new one, with what came later taken back."""
    write_study(open_sqlite(path), trials, direction=direction)
    with closing(sqlite3.connect(path)) as database:
        for row, text in database.execute("SELECT param_id, distribution_json FROM trial_params"):
            old = (_make_old(json.loads(text)), row)
            database.execute("UPDATE trial_params SET distribution_json=? WHERE param_id=?", old)
        database.execute("UPDATE alembic_version SET version_num='v2.6.0.a'")
        database.execute("UPDATE version_info SET library_version='2.10.1'")
        database.execute("ALTER TABLE trial_values DROP COLUMN value_type")
        database.execute(
            "ALTER TABLE trial_intermediate_values DROP COLUMN intermediate_value_type"
        )
        database.execute("DROP INDEX IF EXISTS ix_trials_study_id")
        database.commit()
    return path


def _make_old(distribution: dict[str, Any]) -> str:
    """A distribution by the name that it had before ranges had an attribute `log`."""
    attributes, kind = dict(distribution["attributes"]), distribution["name"]
    if kind != "CategoricalDistribution":
        number = "Int" if kind == "IntDistribution" else ""
        kind = f"{number}{'Log' if attributes.pop('log') else ''}UniformDistribution"
        if not number:
            del attributes["step"]
    return json.dumps({"name": kind, "attributes": attributes})


def _declare(p: Parameter) -> BaseDistribution:
    if p.choices:
        return CategoricalDistribution(p.choices)
    if p.whole:
        return IntDistribution(int(p.low), int(p.high), log=p.log)
    return FloatDistribution(p.low, p.high, log=p.log)


DECLARED = declare(PARAMETERS)
"""The distributions of the parameters of most cases."""
