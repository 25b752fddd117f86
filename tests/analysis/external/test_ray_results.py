"""Ray Tune's results folders: states, nested values, damage, several experiments."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from analysis.external.ray_folders import find_trial_folders
from analysis.external.ray_results import read_ray_results
from analysis.external.sweep import Objective, Sweep
from tests.analysis.external.ray_files import (
    FAILURE,
    NOT_A_PICKLE,
    falling,
    write_ray_state,
    write_ray_trial,
)


def read_one(path: Path) -> Sweep:
    (sweep,) = read_ray_results(path, find_trial_folders(path))
    return sweep


def test_settings_metrics_and_curves(tmp_path: Path) -> None:
    config = {"lr": 0.1, "model": {"width": 8, "head": {"act": None}}, "bn": True, "opt": "adam"}
    reports: list[dict[str, Any]] = [
        {"loss": 2.0, "eval": {"acc": 0.25}, "text": "a", "list": [1], "none": None, "new": True},
        {"loss": 1.0, "eval": {"acc": 0.5}, "text": "a", "list": [1], "none": None, "new": True},
    ]
    write_ray_trial(tmp_path / "exp", 0, config, reports)
    sweep = read_one(tmp_path / "exp")
    assert (sweep.tool, sweep.name, sweep.objectives) == ("Ray Tune", "exp", ())
    (trial,) = sweep.trials
    assert (trial.name, trial.state, trial.seconds) == ("ab12c_00000", "completed", 1.0)
    assert trial.settings == {
        "lr": 0.1, "model/width": 8, "model/head/act": None, "bn": True, "opt": "adam",
    }  # fmt: skip
    assert trial.metrics == {"loss": 1.0, "eval/acc": 0.5}
    assert trial.curves == {"loss": {1: 2.0, 2: 1.0}, "eval/acc": {1: 0.25, 2: 0.5}}
    assert sweep.left_out == ("reported values that are not numbers: list, new, text",)


def test_a_metric_that_was_none_once_keeps_its_other_numbers(tmp_path: Path) -> None:
    reports = [{"loss": 1.0, "acc": 0.5}, {"loss": float("nan"), "acc": None}]
    write_ray_trial(tmp_path, 0, {"lr": 1}, reports)
    (trial,) = read_one(tmp_path).trials
    assert trial.metrics["acc"] == 0.5
    assert math.isnan(trial.metrics["loss"])


def test_error_files_mean_failed_and_shorter_trials_pruned(tmp_path: Path) -> None:
    write_ray_trial(tmp_path, 0, {"lr": 0.1}, falling(8))
    write_ray_trial(tmp_path, 1, {"lr": 0.2}, falling(3))
    write_ray_trial(tmp_path, 2, {"lr": 0.3}, falling(3), error=FAILURE)
    write_ray_trial(tmp_path, 3, {"lr": 0.4}, [], error="out of disk\nmore\n")
    lone = write_ray_trial(tmp_path, 4, {"lr": 0.5}, [])
    (lone / "error.pkl").write_bytes(NOT_A_PICKLE)
    write_ray_trial(tmp_path, 5, {"lr": 0.6}, [])
    trials = {trial.settings["lr"]: trial for trial in read_one(tmp_path).trials}
    assert [trials[lr].state for lr in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)] == [
        "completed", "pruned", "failed", "failed", "failed", "running",
    ]  # fmt: skip
    assert trials[0.2].reason == "stopped at step 3 of 8"
    assert trials[0.3].reason == "torch.cuda.OutOfMemoryError: out of memory"
    assert trials[0.4].reason == "out of disk"
    assert trials[0.5].reason == "error.pkl, a pickle, which is not opened"
    assert trials[0.4].metrics == {}


def test_the_state_file_has_the_last_word(tmp_path: Path) -> None:
    """A trial that succeeded after a retry still has the error file of its first attempt."""
    folders = [
        write_ray_trial(tmp_path, i, {"lr": 0.1 * i}, falling(4), error=FAILURE if i < 2 else None)
        for i in range(4)
    ]
    statuses = dict(zip(folders, ["TERMINATED", "ERROR", "PENDING", "TERMINATED"], strict=True))
    write_ray_state(tmp_path, statuses, waiting=2)
    sweep = read_one(tmp_path)
    assert sweep.objectives == (Objective("loss", None),)
    assert [t.state for t in sweep.trials] == ["completed", "failed", "running", "completed"] + [
        "running"
    ] * 2
    assert sweep.trials[4].settings == {"lr": 0}
    assert sweep.trials[2].reason == "status PENDING"


@pytest.mark.parametrize(
    ("config", "stop"),
    [({"epochs": 3}, {}), ({"opt": {"max_steps": 2}}, {}), ({}, {"training_iteration": 3})],
)
def test_a_trial_that_asked_for_fewer_steps_is_completed(
    config: dict[str, Any], stop: dict[str, Any], tmp_path: Path
) -> None:
    short = write_ray_trial(tmp_path, 0, config, falling(3))
    long = write_ray_trial(tmp_path, 1, {"epochs": 8}, falling(8))
    write_ray_state(tmp_path, {short: "TERMINATED", long: "TERMINATED"}, stop=stop)
    assert [trial.state for trial in read_one(tmp_path).trials] == ["completed", "completed"]


def test_torn_lines_are_left_out_and_counted(tmp_path: Path) -> None:
    write_ray_trial(tmp_path, 0, {"lr": 0.1}, falling(3))
    torn = write_ray_trial(tmp_path, 1, {"lr": 0.2}, falling(3))
    content = (torn / "result.json").read_text()
    (torn / "result.json").write_text(content[:-30])
    sweep = read_one(tmp_path)
    assert sweep.trials[1].curves == {"loss": {1: 1.0, 2: 0.5}}
    assert sweep.left_out == (f"1 torn or damaged line in the files of {torn.name}",)


def test_params_may_be_missing(tmp_path: Path) -> None:
    folder = write_ray_trial(tmp_path, 0, {"lr": 0.1, "opt": {"m": 2}}, falling(2))
    (folder / "params.json").unlink()
    assert read_one(tmp_path).trials[0].settings == {"lr": 0.1, "opt/m": 2}


def test_progress_csv_stands_in_for_result_json(tmp_path: Path) -> None:
    folder = write_ray_trial(tmp_path, 0, {"lr": 0.1}, falling(2))
    (folder / "result.json").unlink()
    (folder / "progress.csv").write_text(
        "loss,none,hist,done,training_iteration,trial_id,time_total_s,eval/acc\r\n"
        '1.0,,"[1, 2]",False,1,ab12c_00000,0.5,0.25\r\n'
        '0.5,,"[1, 2]",True,2,ab12c_00000,1.0,0.5\r\n'
        "0.2,,"
    )
    sweep = read_one(tmp_path)
    (trial,) = sweep.trials
    assert (trial.name, trial.state) == ("ab12c_00000", "completed")
    assert trial.metrics == {"loss": 0.5, "eval/acc": 0.5}
    assert trial.curves["eval/acc"] == {1: 0.25, 2: 0.5}
    assert "1 torn or damaged line" in sweep.left_out[0]


def test_a_restored_trial_has_the_reports_of_its_last_attempt(tmp_path: Path) -> None:
    folder = write_ray_trial(tmp_path, 0, {"lr": 0.1}, falling(4))
    first = (folder / "result.json").read_text().splitlines(keepends=True)
    again = [line.replace('"loss": 0.', '"loss": 9.') for line in first[1:3]]
    (folder / "result.json").write_text("".join(first + again))
    (trial,) = read_one(tmp_path).trials
    assert list(trial.curves["loss"]) == [1, 2, 3]
    assert trial.metrics["loss"] > 9


def test_lists_become_text_and_objects_lose_their_addresses(tmp_path: Path) -> None:
    for i in range(24):
        config = {
            "layers": [[1, 2], [3]][i % 2],
            "act": f"<function {'relu' if i % 3 else 'tanh'} at 0x7f{i:04x}>",
            "loss": f"<function <lambda> at 0x7f{i:04x}>",
            "weights": [i, i + 1],
        }
        write_ray_trial(tmp_path, i, config, falling(1))
    sweep = read_one(tmp_path)
    assert sweep.trials[0].settings == {"layers": "[1, 2]", "act": "<function tanh>"}
    assert {t.settings["act"] for t in sweep.trials} == {"<function relu>", "<function tanh>"}
    assert sweep.left_out == (
        "loss: recorded as an object, without its value",
        "weights: more than 20 different lists",
    )


def test_each_experiment_of_a_parent_folder_is_a_sweep(tmp_path: Path) -> None:
    for name in ("lr0.1", "lr0.3", "deep/nested"):
        write_ray_trial(tmp_path / name, 0, {"lr": 0.1}, falling(1))
    sweeps = read_ray_results(tmp_path, find_trial_folders(tmp_path))
    assert [sweep.name for sweep in sweeps] == ["deep/nested", "lr0.1", "lr0.3"]
    assert read_one(tmp_path / "lr0.1").name == "lr0.1"
    (trial_folder,) = (tmp_path / "lr0.3").iterdir()
    assert len(read_one(trial_folder).trials) == 1


def test_trials_are_in_the_order_of_their_starts(tmp_path: Path) -> None:
    folders = [write_ray_trial(tmp_path, i, {"lr": i}, falling(1)) for i in (2, 0, 1)]
    assert [t.settings["lr"] for t in read_one(tmp_path).trials] == [0, 1, 2]
    write_ray_state(tmp_path, dict.fromkeys(folders, "TERMINATED"))
    assert [t.settings["lr"] for t in read_one(tmp_path).trials] == [2, 0, 1]


def test_a_trial_id_that_occurs_twice_is_replaced_by_the_folder(tmp_path: Path) -> None:
    folders = [write_ray_trial(tmp_path, i, {"lr": i}, falling(1)) for i in range(2)]
    second = folders[1] / "result.json"
    second.write_text(second.read_text().replace("ab12c_00001", "ab12c_00000"))
    assert [t.name for t in read_one(tmp_path).trials] == [folder.name for folder in folders]


def test_the_search_is_named_by_the_files_that_it_left(tmp_path: Path) -> None:
    cells = [(lr, width) for lr in (0.1, 0.2) for width in (8, 16, 32)]
    for i, (lr, width) in enumerate(cells):
        write_ray_trial(tmp_path, i, {"lr": lr, "width": width, "seed": 0}, falling(1))
    assert read_one(tmp_path).sampler == ""
    (tmp_path / "basic-variant-state-2026.json").write_bytes(NOT_A_PICKLE)
    assert read_one(tmp_path).sampler == "grid"
    write_ray_trial(tmp_path, 9, {"lr": 0.3, "width": 8, "seed": 0}, falling(1))
    assert read_one(tmp_path).sampler == "random"
    (tmp_path / "search_gen_state-2026.json").write_bytes(NOT_A_PICKLE)
    assert read_one(tmp_path).sampler == "search algorithm"
    (tmp_path / "pbt_global.txt").write_text("[]")
    assert read_one(tmp_path).sampler == "pbt"


def test_state_files_before_ray_2_4_are_read(tmp_path: Path) -> None:
    """They hold one JSON text for each trial, and whole paths of another machine."""
    folder = write_ray_trial(tmp_path, 0, {"lr": 1}, falling(2))
    trial = {"trial_id": "ab12c_00000", "status": "ERROR", "logdir": f"/gone/{folder.name}"}
    state = {"checkpoints": [json.dumps(trial)], "runner_data": {}}
    (tmp_path / "experiment_state-2022-01-01.json").write_text(json.dumps(state))
    (read,) = read_one(tmp_path).trials
    assert (read.state, read.reason) == ("failed", "status ERROR")


def test_a_damaged_state_file_is_named(tmp_path: Path) -> None:
    folder = write_ray_trial(tmp_path, 0, {"lr": 1}, falling(2))
    state = write_ray_state(tmp_path, {folder: "PENDING"})
    state.write_text(state.read_text()[:-20])
    sweep = read_one(tmp_path)
    assert sweep.trials[0].state == "completed"
    assert sweep.left_out[0].startswith(f"{state.name}, which is damaged")
