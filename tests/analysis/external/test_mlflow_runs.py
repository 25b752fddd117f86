"""MLflow's folder and SQLite stores: the same runs read the same from both."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from analysis.external.mlflow_runs import has_mlflow_runs, read_mlflow_runs
from analysis.external.sweep import Sweep
from nerf.common.errors import InputError
from tests.analysis.external.mlflow_files import (
    Experiments,
    FakeRun,
    write_database,
    write_file_store,
)

Write = Callable[[Experiments], Path]


@pytest.fixture(params=["folder", "database"])
def write(request: pytest.FixtureRequest, tmp_path: Path) -> Write:
    if request.param == "folder":
        return lambda experiments: write_file_store(tmp_path / "mlruns", experiments)
    return lambda experiments: write_database(tmp_path / "mlflow.db", experiments)


def read_one(path: Path) -> Sweep:
    (sweep,) = read_mlflow_runs(path)
    return sweep


def test_runs_are_trials(write: Write) -> None:
    metrics = {
        "eval/acc": [(1, 0.25, 0), (2, 0.75, 1), (3, 0.5, 2)],
        "loss": [(1, 3.0, 0)],
        "timed": [(3, 1.0, 0), (1, 3.0, 0), (2, 2.0, 0)],
    }
    runs = [
        FakeRun("b" * 32, {"lr": "0.1"}, metrics, name="second", start=2000),
        FakeRun("a" * 32, {"lr": "1e-3"}, name="first", status="FAILED"),
        FakeRun("c" * 32, {"lr": "1"}, status="KILLED", start=3000),
        FakeRun("d" * 32, {"lr": "2"}, status="RUNNING", start=4000),
    ]
    sweep = read_one(write({"nets": runs}))
    assert (sweep.tool, sweep.name, sweep.objectives) == ("MLflow", "nets", ())
    assert [t.name for t in sweep.trials] == ["first", "second", "cccccccc", "dddddddd"]
    assert [t.state for t in sweep.trials] == ["failed", "completed", "failed", "running"]
    assert [t.settings["lr"] for t in sweep.trials] == [1e-3, 0.1, 1.0, 2.0]
    assert sweep.trials[2].reason == "status KILLED"
    second = sweep.trials[1]
    assert second.metrics == {"eval/acc": 0.5, "loss": 3.0, "timed": 1.0}
    assert second.curves == {
        "eval/acc": {0: 0.25, 1: 0.75, 2: 0.5},
        "timed": {0: 3.0, 1: 2.0, 2: 1.0},
    }
    assert second.seconds == 2.0


def test_parameters_are_numbers_where_all_are(write: Write) -> None:
    columns = {
        "lr": ["0.1", "1e-5", "nan"],
        "model/width": ["8", "-16", "32"],
        "bn": ["True", "false", "True"],
        "clip": ["None", "0.5", "1"],
        "mixed": ["1", "auto", "2"],
        "under": ["1_0", "2", "3"],
    }
    runs = [
        FakeRun(str(i) * 32, {name: values[i] for name, values in columns.items()}, start=i)
        for i in range(3)
    ]
    first, second, third = (t.settings for t in read_one(write({"nets": runs})).trials)
    assert first == {
        "lr": 0.1, "model/width": 8, "bn": True, "clip": None, "mixed": "1", "under": "1_0",
    }  # fmt: skip
    assert isinstance(first["model/width"], int)
    assert second["bn"] is False
    assert (second["clip"], third["clip"]) == (0.5, 1.0)
    assert math.isnan(third["lr"])  # type: ignore[arg-type]


def test_nan_and_infinities_are_metrics(write: Write) -> None:
    values = {"n": math.nan, "p": math.inf, "m": -math.inf}
    run = FakeRun("a" * 32, {"x": "1"}, {name: [(1, v, 0)] for name, v in values.items()})
    metrics = read_one(write({"nets": [run]})).trials[0].metrics
    assert math.isnan(metrics["n"])
    assert (metrics["p"], metrics["m"]) == (math.inf, -math.inf)


def test_what_is_deleted_or_empty_is_left_out_and_counted(write: Write) -> None:
    live = FakeRun("a" * 32, {"x": "1"})
    gone = FakeRun("b" * 32, {"x": "2"}, deleted=True)
    sweep = read_one(write({"Default": [], "(old)": [FakeRun("c" * 32)], "nets": [live, gone]}))
    assert sweep.name == "nets"
    assert len(sweep.trials) == 1
    assert sweep.left_out == ("1 deleted experiment", "1 experiment without runs", "1 deleted run")


def test_child_runs_are_the_trials(write: Write) -> None:
    parent = FakeRun("p" * 32, {"n_trials": "2"}, {"best": [(1, 1.0, 0)]})
    children = [FakeRun(c * 32, {"x": str(i)}, parent="p" * 32) for i, c in enumerate("ab")]
    sweep = read_one(write({"nets": [parent, *children]}))
    assert [t.settings for t in sweep.trials] == [{"x": 0}, {"x": 1}]
    assert sweep.left_out == ("1 parent run over the child runs, which are the trials",)


def test_child_runs_without_parameters_are_parts_of_their_parent(write: Write) -> None:
    parents = [FakeRun(p * 32, {"x": p}) for p in "ab"]
    evaluation = FakeRun("c" * 32, metrics={"acc": [(1, 1.0, 0)]}, parent="a" * 32)
    sweep = read_one(write({"nets": [*parents, evaluation]}))
    assert [t.settings for t in sweep.trials] == [{"x": "a"}, {"x": "b"}]
    assert sweep.left_out == ("1 child run without parameters",)


def test_experiments_are_sweeps_and_runs_of_one_name_are_told_apart(write: Write) -> None:
    runs = [FakeRun(c * 32, {"x": c}, name="run") for c in "ab"]
    sweeps = read_mlflow_runs(write({"one": runs, "two": [FakeRun("c" * 32)]}))
    assert [s.name for s in sweeps] == ["one", "two"]
    assert [t.name for t in sweeps[0].trials] == ["run (aaaaaaaa)", "run (bbbbbbbb)"]


def test_a_store_an_experiment_and_the_folder_above_are_recognised(tmp_path: Path) -> None:
    store = write_file_store(tmp_path / "mlruns", {"nets": [FakeRun("a" * 32, {"x": "1"})]})
    for path in (tmp_path, store, store / "0"):
        assert has_mlflow_runs(path)
        assert read_one(path).name == "nets"
    assert not has_mlflow_runs(store / "0" / ("a" * 32) / "params")


def test_damage_is_counted(tmp_path: Path) -> None:
    run = FakeRun("a" * 32, {"x": "1"}, {"loss": [(1, 2.0, 0), (2, 1.0, 1)]})
    store = write_file_store(tmp_path, {"nets": [run, FakeRun("b" * 32)]})
    loss = store / "0" / ("a" * 32) / "metrics" / "loss"
    loss.write_text(loss.read_text() + "3 0.")
    (store / "0" / ("b" * 32) / "meta.yaml").write_text("run_id: [")
    (store / "0" / "meta.yaml").write_text("!!python/object/apply:os.getcwd []")
    sweep = read_one(store)
    assert sweep.name == "0"
    assert sweep.trials[0].metrics == {"loss": 1.0}
    assert sweep.left_out == (
        "1 run with a damaged meta.yaml",
        "1 damaged line of metrics",
        "the experiment's name, as its meta.yaml is damaged",
    )


def test_links_out_of_the_store_are_not_followed(tmp_path: Path) -> None:
    store = write_file_store(tmp_path / "mlruns", {"nets": [FakeRun("a" * 32, {"x": "1"})]})
    secret = tmp_path / "secret"
    secret.write_text("password")
    (store / "0" / ("a" * 32) / "params" / "y").symlink_to(secret)
    assert read_one(store).trials[0].settings == {"x": 1}


def test_a_database_with_other_columns_is_refused(tmp_path: Path) -> None:
    path = write_database(tmp_path / "m.db", {"nets": [FakeRun("a" * 32)]})
    with closing(sqlite3.connect(path)) as database:
        database.execute("ALTER TABLE metrics RENAME COLUMN step TO stride")
    with pytest.raises(InputError, match="no tracking database of MLflow"):
        read_mlflow_runs(path)
