"""One real sweep, with real Ray and real training: killed in the middle, hurt, and resumed.

The study is run once for all tests of this file, which look at what it left.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import pandas as pd
import psutil
import pytest
from optuna.trial import FrozenTrial, TrialState

from study.ledger.ledger import Ledger
from study.records.schema import STATES
from study.records.study_folder import StudyFolder
from study.search.sobol_design import explore_point
from study.spec.default_space import DEFAULT_SETTINGS
from study.spec.study_spec import StudySpec
from tests.study.sweeps import TINY, kill_tree, start, wait_for
from tests.study.trials import record

EXPLORE, OPTIMIZE, REPLICATES, STEPS = 5, 3, 2, 120
TRIALS = EXPLORE + OPTIMIZE + REPLICATES


@dataclass(frozen=True)
class Story:
    """What happened to the study, and what was seen on the way."""

    folder: StudyFolder
    listening: set[str]
    refused: subprocess.CompletedProcess[str]
    driver: int
    before: dict[str, dict[str, Any]]
    """The records that were there when the driver was killed."""
    hurt: str
    """The trial whose checkpoint was made unreadable while nobody ran it."""
    said: str
    status: int


@pytest.fixture(scope="module")
def story(scene_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Story:
    studies = tmp_path_factory.mktemp("some studies")
    folder = StudyFolder(studies / "killed")
    name = ["--studies", str(studies), "--name", "killed"]
    asked = ["--scene", str(scene_file), f"--explore={EXPLORE}", f"--optimize={OPTIMIZE}"]
    asked += [f"--replicates={REPLICATES}"]
    driver = start(*name, *asked, f"--steps={STEPS}", *TINY, cwd=studies)
    wait_for(driver, folder.journal.exists)
    second = start(*name, "--resume", cwd=studies)
    said, _ = second.communicate(timeout=60)
    refused = subprocess.CompletedProcess([], second.returncode, said)
    wait_for(driver, lambda: len(folder.records()) >= 1)
    listening = listening_addresses(driver.pid)
    wait_for(driver, lambda: bool(checkpoints_of_running(folder)))
    kill_tree(driver)
    before = {r["trial"]["trial_id"]: r for r in folder.records()}
    hurt = min(checkpoints_of_running(folder))
    hurt.write_bytes(b"no checkpoint")
    resumed = start(*name, "--resume", "--wandb=offline", cwd=studies)
    said, _ = resumed.communicate(timeout=400)
    return Story(
        folder, listening, refused, driver.pid, before, hurt.stem, said, resumed.returncode
    )


def listening_addresses(pid: int) -> set[str]:
    """The addresses that a process and its descendants listen on."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return {
        connection.laddr.ip
        for member in family
        for connection in member.net_connections()
        if connection.status == psutil.CONN_LISTEN
    }


def checkpoints_of_running(folder: StudyFolder) -> set[Path]:
    ended = {record["trial"]["trial_id"] for record in folder.records()}
    return {file for file in folder.path.glob("checkpoints/0*.pt") if file.stem not in ended}


def optuna_trials(folder: StudyFolder) -> list[FrozenTrial]:
    ledger = Ledger(folder, StudySpec.from_json(folder.read_spec()))
    try:
        return ledger.trials()
    finally:
        ledger.close()


def trials(story: Story) -> pd.DataFrame:
    return story.folder.read_trials()


def test_it_ends_well_and_says_what_came_of_it(story: Story) -> None:
    assert story.status == 0, story.said
    assert "Traceback" not in story.said
    assert f"{TRIALS}/{TRIALS} trials" in story.said
    assert str(story.folder.report) in story.said
    assert story.folder.report.stat().st_size > 10_000


def test_exactly_the_planned_trials_were_run(story: Story) -> None:
    table = trials(story)
    assert list(table["number"]) == list(range(TRIALS))
    phases = ["explore"] * EXPLORE + ["optimize"] * OPTIMIZE + ["replicate"] * REPLICATES
    assert list(table["phase"]) == phases
    assert set(table["state"]) <= set(STATES)
    assert table["seed"].is_unique


def test_replicates_repeat_the_first_explored_configuration_and_the_best(story: Story) -> None:
    table = trials(story)
    values = ["sampling.near", "optimisation.learning_rate"]
    assert len(table.drop_duplicates(values)) == EXPLORE + OPTIMIZE
    explored, best = table.query("phase == 'replicate'")[values].to_dict("records")
    assert explored == table.iloc[0][values].to_dict()
    others = table.query("phase != 'replicate' and state == 'completed'")
    assert best == others.loc[others["psnr"].idxmax(), values].to_dict()


def test_explored_values_are_the_design(story: Story) -> None:
    spec = StudySpec.from_json(story.folder.read_spec())
    for row in trials(story).iloc[:EXPLORE].to_dict("records"):
        point = explore_point(spec.space, spec.seed, row["number"])
        assert {path: row[path] for path in point} == point


def test_what_had_ended_was_not_run_again(story: Story) -> None:
    assert story.before
    for name, kept in story.before.items():
        assert record(story.folder, name) == kept


def test_a_checkpoint_that_cannot_be_read_is_named_and_its_trial_starts_anew(story: Story) -> None:
    row = trials(story).set_index("trial_id").loc[story.hurt]
    assert row["state"] == "completed"
    notice = f"trial {int(story.hurt)} restarts from step 0: "
    assert notice in story.said
    assert notice in story.folder.log(story.hurt).read_text()
    damaged = story.folder.checkpoint(story.hurt).with_suffix(".pt.damaged")
    assert damaged.read_bytes() == b"no checkpoint"
    assert "failed" not in list(trials(story)["state"])


def test_curves_are_whole_across_the_resume(story: Story) -> None:
    full = trials(story).query("steps_done == budget_steps")
    curves = story.folder.read_curves()
    assert len(full) >= EXPLORE - 1
    for name in full["trial_id"]:
        steps = list(curves.loc[curves["trial_id"] == name, "step"])
        assert steps == sorted(set(steps))
        assert (len(steps), steps[-1]) == (DEFAULT_SETTINGS["evaluation.times"], STEPS)


def test_ledger_and_records_agree_and_no_short_trial_is_complete(story: Story) -> None:
    for trial, row in zip(
        optuna_trials(story.folder), trials(story).to_dict("records"), strict=True
    ):
        assert trial.user_attrs["state"] == row["state"]
        assert trial.user_attrs["phase"] == row["phase"]
        if trial.state == TrialState.COMPLETE:
            assert row["steps_done"] == STEPS
            assert trial.values == [row["psnr"]]
        if row["state"] in ("pruned", "failed"):
            assert trial.state != TrialState.COMPLETE


def test_full_trials_left_a_render(story: Story) -> None:
    ended = "steps_done == budget_steps or state == 'pruned'"
    for name in trials(story).query(ended)["trial_id"]:
        picture = imageio.imread(story.folder.render(name))
        assert picture.shape == (24, 48, 3)


def test_a_second_process_was_refused_by_pid_and_host(story: Story) -> None:
    assert story.refused.returncode == 2
    (line,) = (text for text in story.refused.stdout.splitlines() if text.startswith("error"))
    assert f"process {story.driver} on " in line


def test_nothing_listened_off_loopback(story: Story) -> None:
    assert story.listening
    for address in story.listening:
        ip = ip_address(address)
        assert (getattr(ip, "ipv4_mapped", None) or ip).is_loopback


def test_wandb_offline_stays_in_the_study_folder(story: Story) -> None:
    runs = list((story.folder.path / "wandb" / "wandb").glob("offline-run-*"))
    ended_later = TRIALS - len(story.before)
    assert len(runs) >= ended_later
    assert not list(story.folder.path.parent.glob("wandb"))


def test_no_secret_is_kept_anywhere(story: Story) -> None:
    files = [file for file in story.folder.path.rglob("*") if file.is_file()]
    assert len(files) > 20
    assert [file for file in files if b"5ec4e75ec4e7" in file.read_bytes()] == []
    assert "5ec4e7" not in story.said


def test_no_half_files_are_left(story: Story) -> None:
    assert not list(story.folder.path.glob(".*"))
    assert not list((story.folder.path / "checkpoints").glob("*.pt"))
