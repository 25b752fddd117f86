"""Optuna's storages: real ones of the Optuna installed, and the schema of Optuna 2.10."""

from __future__ import annotations

import logging
import math
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import BaseStorage
from optuna.trial import TrialState, create_trial

from analysis.external.optuna_storage import read_optuna_storage
from analysis.external.sweep import Objective, Sweep
from nerf.common.errors import InputError
from study.spec.space import Dimension
from tests.analysis.external.optuna_files import (
    open_journal,
    run_states,
    suggest_all,
    write_optuna_2_10,
)

DOMAINS = {
    "lr": Dimension("lr", "float", 1e-5, 1.0, log=True, label="lr"),
    "width": Dimension("width", "int", 8, 1024, log=True, label="width"),
    "drop": Dimension("drop", "float", 0.0, 0.5, step=0.25, label="drop"),
    "depth": Dimension("depth", "int", 2, 8, step=2, label="depth"),
    "norm": Dimension("norm", "choice", choices=("batch", None, True, 2), label="norm"),  # type: ignore[arg-type]
}


@pytest.fixture(params=["sqlite", "journal"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Any]:
    """A new storage's path, and what Optuna takes for it."""
    if request.param == "sqlite":
        return tmp_path / "a é.db", optuna.storages.RDBStorage(f"sqlite:///{tmp_path}/a é.db")
    path = tmp_path / "study.journal"
    return path, open_journal(path)


def read_one(path: Path) -> Sweep:
    (sweep,) = read_optuna_storage(path)
    return sweep


def write_journal(path: Path, trials: int = 3) -> Path:
    study = optuna.create_study(storage=open_journal(path), study_name="s")
    study.optimize(suggest_all, n_trials=trials)
    return path


def test_states_values_curves_and_domains(storage: tuple[Path, BaseStorage]) -> None:
    path, base = storage
    run_states(optuna.create_study(storage=base, study_name="s", direction="maximize"))
    sweep = read_one(path)
    assert (sweep.tool, sweep.name) == ("Optuna", "s")
    assert sweep.objectives == (Objective("value", "maximize"),)
    early, completed, failed, pruned, running, waiting = sweep.trials
    assert [t.name for t in sweep.trials] == ["0", "1", "2", "3", "4", "5"]
    states = ["failed", "completed", "failed", "pruned", "running", "running"]
    assert [t.state for t in sweep.trials] == states
    assert (early.settings, early.metrics) == ({}, {})
    assert waiting.reason == "waits to start"
    value = completed.metrics["value"]
    assert completed.curves == {"value": {1: value / 2, 2: value}}
    assert completed.domains == DOMAINS
    assert completed.settings.keys() == DOMAINS.keys()
    assert isinstance(completed.settings["width"], int)
    assert 0 <= completed.seconds < 60
    assert "value" not in failed.metrics
    assert pruned.metrics["value"] == math.inf
    assert math.isnan(running.seconds)


def test_user_attributes_that_are_numbers_are_metrics(storage: tuple[Path, BaseStorage]) -> None:
    path, base = storage
    run_states(optuna.create_study(storage=base))
    sweep = read_one(path)
    assert sweep.trials[1].metrics.keys() == {"value", "accuracy", "user_attrs_lr"}
    assert sweep.left_out == ("user attributes that are not numbers in most trials: tag",)


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_several_objectives_and_their_names(storage: tuple[Path, BaseStorage]) -> None:
    path, base = storage
    for name in ("named", "unnamed"):
        study = optuna.create_study(
            storage=base, study_name=name, directions=["maximize", "minimize"]
        )
        study.add_trial(create_trial(values=[1.0, 2.0]))
        if name == "named":
            study.set_metric_names(["accuracy", "latency"])
    named, unnamed = read_optuna_storage(path)
    assert named.objectives == (Objective("accuracy", "maximize"), Objective("latency", "minimize"))
    assert named.trials[0].metrics == {"accuracy": 1.0, "latency": 2.0}
    assert [o.name for o in unnamed.objectives] == ["objective 0", "objective 1"]


def test_deleted_studies_stay_deleted(storage: tuple[Path, BaseStorage]) -> None:
    path, base = storage
    for name in ("a", "b", "c"):
        study = optuna.create_study(storage=base, study_name=name)
        study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
    optuna.delete_study(study_name="b", storage=base)
    assert [(s.name, len(s.trials)) for s in read_optuna_storage(path)] == [("a", 2), ("c", 2)]


def test_each_trial_has_its_own_range_and_branch(storage: tuple[Path, BaseStorage]) -> None:
    path, base = storage

    def objective(trial: optuna.Trial) -> float:
        high = 1.0 + trial.number
        if trial.number == 1:
            trial.suggest_int("momentum", 7, 7)
        return trial.suggest_float("x", 0.0, high)

    optuna.create_study(storage=base).optimize(objective, n_trials=2)
    first, second = read_one(path).trials
    assert [t.domains["x"].high for t in (first, second)] == [1.0, 2.0]
    assert "momentum" not in first.settings
    assert second.domains["momentum"] == Dimension("momentum", "int", 7, 7, label="momentum")


def test_infeasible_trials_are_not_completed(storage: tuple[Path, BaseStorage]) -> None:
    path, base = storage
    study = optuna.create_study(storage=base)
    study.add_trial(create_trial(value=1.0, system_attrs={"constraints": [0.0, -1.0]}))
    study.add_trial(create_trial(value=0.0, system_attrs={"constraints": [0.0, 0.5]}))
    study.add_trial(create_trial(value=0.0, system_attrs={"constraints:memory": 2.0}))
    sweep = read_one(path)
    assert [t.state for t in sweep.trials] == ["completed", "failed", "failed"]
    assert [t.reason for t in sweep.trials][1:] == [
        "infeasible: constraint 1 is 0.5 > 0",
        "infeasible: constraint memory is 2 > 0",
    ]
    assert sweep.left_out == ("2 infeasible trials, counted as failed: a constraint is broken",)


SAMPLERS: dict[str, Callable[[], optuna.samplers.BaseSampler]] = {
    "": lambda: optuna.samplers.RandomSampler(seed=0),
    "grid": lambda: optuna.samplers.GridSampler({"x": [0.0, 0.5, 1.0], "y": [0.0, 1.0]}, seed=0),
    "qmc": lambda: optuna.samplers.QMCSampler(seed=0, warn_independent_sampling=False),
    "tpe": lambda: optuna.samplers.TPESampler(
        seed=0, n_startup_trials=2, multivariate=True, constant_liar=True
    ),
    "nsga-ii": lambda: optuna.samplers.NSGAIISampler(seed=0, population_size=2),
}


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_samplers_are_named_by_the_marks_that_they_leave(sampler: str, tmp_path: Path) -> None:
    study = optuna.create_study(
        storage=open_journal(tmp_path / "s.journal"), sampler=SAMPLERS[sampler]()
    )
    study.optimize(lambda t: t.suggest_float("x", 0, 1) + t.suggest_float("y", 0, 1), n_trials=6)
    assert read_one(tmp_path / "s.journal").sampler == sampler


def test_a_study_of_enqueued_trials_alone_is_enqueued(tmp_path: Path) -> None:
    study = optuna.create_study(storage=open_journal(tmp_path / "s.journal"))
    for x in (0.1, 0.2):
        study.enqueue_trial({"x": x})
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
    assert read_one(tmp_path / "s.journal").sampler == "enqueued"
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    assert read_one(tmp_path / "s.journal").sampler == ""


ROWS = [(1e-3, 64.0, 0.25, 4.0, 0.5, 1.0, 2.5), (1e-1, 8.0, 0.5, 8.0, 0.1, 3.0, 1.5)]


def test_a_storage_of_optuna_2_is_upgraded_on_a_copy(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    write_optuna_2_10(path, ROWS)
    before = path.read_bytes()
    sweep = read_one(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["old.db"]
    assert sweep.objectives == (Objective("value", "minimize"),)
    first, second = sweep.trials
    uniform = Dimension("wd", "float", 0.0, 1.0, label="wd")
    assert first.domains == DOMAINS | {"wd": uniform}
    assert first.settings == {
        "lr": 1e-3, "width": 64, "drop": 0.25, "depth": 4, "wd": 0.5, "norm": None,
    }  # fmt: skip
    assert second.settings["norm"] == 2
    assert (first.metrics, first.seconds) == ({"value": 2.5}, 5.5)


def test_a_study_without_direction_has_none(tmp_path: Path) -> None:
    write_optuna_2_10(tmp_path / "old.db", ROWS, direction="NOT_SET")
    assert read_one(tmp_path / "old.db").objectives == (Objective("value", None),)


def test_what_sqlite_had_not_yet_merged_is_read(tmp_path: Path) -> None:
    path = tmp_path / "busy.db"
    study = optuna.create_study(storage=f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("PRAGMA journal_mode = wal")
        study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=3)
        assert (tmp_path / "busy.db-wal").stat().st_size > 0
        assert len(read_one(path).trials) == 3


def test_nothing_is_logged_and_logging_stays_as_it_was(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_optuna_2_10(tmp_path / "old.db", ROWS)
    handlers, level = list(logging.root.handlers), logging.root.manager.disable
    read_one(tmp_path / "old.db")
    assert capfd.readouterr() == ("", "")
    assert (logging.root.handlers, logging.root.manager.disable) == (handlers, level)
    assert not logging.getLogger("analysis").disabled


def test_a_torn_last_line_of_a_journal_is_cut_and_named(tmp_path: Path) -> None:
    whole = write_journal(tmp_path / "whole.journal").read_bytes()
    lines = whole.splitlines(keepends=True)
    for name, content in {
        "torn": b"".join(lines[:-1]) + lines[-1][:20],
        "torn_line": b"".join(lines[:-1]) + lines[-1][:20] + b"\n",
    }.items():
        path = tmp_path / f"{name}.journal"
        path.write_bytes(content)
        sweep = read_one(path)
        assert sweep.left_out == (f"the last line of {path.name}, torn by a crash",)
        assert [t.state for t in sweep.trials] == ["completed", "completed", "running"]
        assert path.read_bytes() == content
    (tmp_path / "bare.journal").write_bytes(whole[:-1])
    bare = read_one(tmp_path / "bare.journal")
    assert [t.state for t in bare.trials] == ["completed"] * 3
    assert bare.left_out == ()


def test_a_damaged_line_within_a_journal_is_refused(tmp_path: Path) -> None:
    path = write_journal(tmp_path / "s.journal")
    lines = path.read_bytes().splitlines(keepends=True)
    lines[4] = lines[4][:10] + b"\n"
    path.write_bytes(b"".join(lines))
    with pytest.raises(InputError, match=r"line 5 of .* is damaged") as refusal:
        read_optuna_storage(path)
    assert "\n" not in str(refusal.value)


def change(path: Path, command: str) -> Path:
    with closing(sqlite3.connect(path)) as database:
        database.executescript(command)
    return path


def test_a_schema_that_cannot_be_upgraded_names_the_command(tmp_path: Path) -> None:
    write_optuna_2_10(tmp_path / "old.db", ROWS)
    change(tmp_path / "old.db", "UPDATE trial_params SET distribution_json = 'x'")
    with pytest.raises(InputError, match=r"by Optuna 2\.10\.1, .*run optuna storage upgrade"):
        read_optuna_storage(tmp_path / "old.db")


def test_a_newer_schema_asks_for_a_newer_optuna(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    optuna.create_study(storage=f"sqlite:///{path}")
    newer = (
        "UPDATE alembic_version SET version_num = 'v9.0.0.a'; "
        "UPDATE version_info SET library_version = '9.1.0'"
    )
    with pytest.raises(InputError, match=r"by Optuna 9\.1\.0, is newer than .*install -U optuna"):
        read_optuna_storage(change(path, newer))


def test_without_optuna_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_journal(tmp_path / "s.journal")
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(InputError, match="pip install optuna"):
        read_optuna_storage(path)


def test_a_damaged_database_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    optuna.create_study(storage=f"sqlite:///{path}")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="damaged SQLite file") as refusal:
        read_optuna_storage(path)
    assert "\n" not in str(refusal.value)


def test_a_list_among_choices_becomes_text(tmp_path: Path) -> None:
    study = optuna.create_study(storage=open_journal(tmp_path / "s.journal"))
    distribution = optuna.distributions.CategoricalDistribution(["a", "b"])
    study.add_trial(create_trial(params={"c": "b"}, distributions={"c": distribution}, value=1.0))
    path = tmp_path / "s.journal"
    path.write_text(path.read_text().replace(r"[\"a\", \"b\"]", r"[[1, 2], [3]]"))
    (trial,) = read_one(path).trials
    assert trial.settings == {"c": "[3]"}
    assert trial.domains["c"].choices == ("[1, 2]", "[3]")


def test_states_of_optuna_are_all_known() -> None:
    from analysis.external.optuna_studies import _STATES

    assert {state.name for state in TrialState} == _STATES.keys()
