"""One real sweep, with real Ray, real training and its copy on S3: its machine dies with all files.

Another machine resumes it from the copy. The tests of this file look at what that left.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import pandas as pd
import psutil
import pytest
from optuna.trial import TrialState

from analysis.claims.list_claims import ANSWERS
from analysis.data.study import load_study
from analysis.report import main as report
from study.ledger.journal import read_trials
from study.records.study_folder import StudyFolder
from study.search.sobol_design import explore_point
from study.spec.default_space import DEFAULT_SETTINGS
from study.spec.study_spec import StudySpec
from study.storage.mirror import list_files
from study.storage.remote import Storage
from tests.study.buckets import s3
from tests.study.sweeps import TINY, end_of, hooks, kill_tree, start, wait_for
from tests.study.trials import record

__all__ = ["s3"]

pytestmark = pytest.mark.slow

EXPLORE, OPTIMIZE, REPLICATES, STEPS = 5, 3, 3, 80
TRIALS = EXPLORE + OPTIMIZE + REPLICATES
BUDGET = [f"--explore={EXPLORE}", f"--optimize={OPTIMIZE}", f"--replicates={REPLICATES}"]

# The first machine's last two trials stand still half-way, so that it surely dies during them.
LOST = {
    f"{part}/{name}"
    for part, name in [
        ("records", "00000.json"),
        ("records", "00001.json"),
        ("checkpoints", "00002.pt"),
        ("checkpoints", "00003.pt"),
    ]
}
UNREADABLE, READABLE = "00002", "00003"


@dataclass(frozen=True)
class Story:
    """What happened to the study, and what was seen on the way."""

    folder: StudyFolder
    """On the second machine."""
    storage: Storage
    listening: set[str]
    """The addresses that the first machine's processes listened on."""
    daemons: str
    """The command lines of the first machine's processes."""
    before: dict[str, dict[str, Any]]
    """The records that the storage held when the machine died."""
    status: int
    output: str


@pytest.fixture(scope="module")
def story(s3: str, scene_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Story:
    machines = [tmp_path_factory.mktemp(name) for name in ("first machine", "second machine")]
    storage = Storage(f"{s3}/studies/killed")
    name = ["--name=killed", f"--storage={s3}/studies"]
    new = ["--scene", str(scene_file), *BUDGET, f"--steps={STEPS}", *TINY]
    driver = start(*name, *new, cwd=machines[0], environment=hooks(HELD_FROM=str(int(UNREADABLE))))
    wait_for(driver, lambda: set(storage.listing()) >= LOST)
    family = [psutil.Process(driver.pid), *psutil.Process(driver.pid).children(recursive=True)]
    listening = listening_addresses(family)
    daemons = "\n".join(" ".join(member.cmdline()) for member in family if member.is_running())
    kill_tree(driver)
    shutil.rmtree(machines[0])
    keys = [key for key in storage.listing() if key.startswith("records/")]
    before = {Path(key).stem: json.loads(storage.read(key) or b"") for key in keys}
    storage.write(f"checkpoints/{UNREADABLE}.pt", b"no checkpoint")
    status, output = end_of(start(*name, "--resume", "--wandb=offline", cwd=machines[1]))
    folder = StudyFolder(machines[1] / "studies" / "killed")
    return Story(folder, storage, listening, daemons, before, status, output)


def listening_addresses(family: list[psutil.Process]) -> set[str]:
    return {
        connection.laddr.ip
        for member in family
        if member.is_running()
        for connection in member.net_connections()
        if connection.status == psutil.CONN_LISTEN
    }


def trials(story: Story) -> pd.DataFrame:
    return story.folder.read_trials()


def test_it_succeeds_and_prints_its_results(story: Story) -> None:
    assert story.status == 0, story.output
    assert "Traceback" not in story.output
    assert f"{TRIALS}/{TRIALS} trials" in story.output
    for question in ANSWERS.values():
        # "What fails" is asked of other tools' sweeps alone.
        assert story.output.count(f"\n{question}: ") == (question != "What fails")
    assert story.output.count("best: trial ") == 1
    assert str(story.folder.report) in story.output
    assert story.folder.report.stat().st_size > 10_000


def test_exactly_the_planned_trials_were_run(story: Story) -> None:
    table = trials(story)
    assert list(table["number"]) == list(range(TRIALS))
    phases = ["explore"] * EXPLORE + ["optimize"] * OPTIMIZE + ["replicate"] * REPLICATES
    assert list(table["phase"]) == phases
    assert set(table["state"]) <= {"completed", "collapsed", "pruned"}
    assert table["seed"].iloc[:-1].is_unique
    assert table["seed"].iloc[-1] == table["seed"].iloc[-2]  # of the default and of the best


def test_replicates_repeat_an_explored_configuration_the_best_and_the_default(
    story: Story,
) -> None:
    table = trials(story)
    values = ["sampling.near", "optimisation.learning_rate", "field.width"]
    assert len(table.drop_duplicates(values)) == EXPLORE + OPTIMIZE
    explored, best, default = table.query("phase == 'replicate'")[values].to_dict("records")
    assert explored == table.iloc[0][values].to_dict()
    assert default == table.iloc[EXPLORE][values].to_dict()
    assert default["field.width"] == 128  # outside the space
    others = table.query("phase != 'replicate' and state == 'completed'").drop(index=EXPLORE)
    assert best == others.loc[others["psnr"].idxmax(), values].to_dict()


def test_explored_values_are_the_design(story: Story) -> None:
    spec = StudySpec.from_json(story.folder.read_spec())
    for row in trials(story).iloc[:EXPLORE].to_dict("records"):
        point = explore_point(spec.space, spec.seed, row["number"], spec.nets)
        assert {path: row[path] for path in point} == point


def test_what_had_ended_was_not_run_again(story: Story) -> None:
    assert story.before
    for name, before in story.before.items():
        assert record(story.folder, name) == before


def test_a_checkpoint_that_cannot_be_read_is_named_and_its_trial_starts_again(
    story: Story,
) -> None:
    row = trials(story).set_index("trial_id").loc[UNREADABLE]
    assert row["state"] == "completed"
    notice = f"trial {int(UNREADABLE)} restarts from step 0: "
    assert notice in story.output
    assert notice in story.folder.log(UNREADABLE).read_text()
    damaged = story.folder.checkpoint(UNREADABLE).with_suffix(".pt.damaged")
    assert damaged.read_bytes() == b"no checkpoint"


def test_a_trial_whose_checkpoint_can_be_read_resumes_from_it(story: Story) -> None:
    assert "resumes after step" in story.folder.log(READABLE).read_text()
    assert trials(story).set_index("trial_id").loc[READABLE, "state"] == "completed"


def test_curves_are_whole_across_the_resume(story: Story) -> None:
    full = trials(story).query("steps_done == budget_steps")
    curves = story.folder.read_curves()
    assert len(full) >= EXPLORE - 1
    for name in full["trial_id"]:
        steps = list(curves.loc[curves["trial_id"] == name, "step"])
        assert steps == sorted(set(steps))
        assert (len(steps), steps[-1]) == (DEFAULT_SETTINGS["evaluation.times"], STEPS)


def test_ledger_and_records_agree_and_no_short_trial_is_complete(story: Story) -> None:
    for trial, row in zip(read_trials(story.folder), trials(story).to_dict("records"), strict=True):
        assert trial.user_attrs["state"] == row["state"]
        assert trial.user_attrs["phase"] == row["phase"]
        if trial.state == TrialState.COMPLETE:
            assert row["steps_done"] == STEPS
            assert trial.values == [pytest.approx(row["psnr"], abs=5e-5)]
        if row["state"] in ("pruned", "failed"):
            assert trial.state != TrialState.COMPLETE


def test_full_trials_left_a_render(story: Story) -> None:
    ended = trials(story).query("steps_done == budget_steps or state == 'pruned'")
    assert len(ended) >= EXPLORE
    for name in ended["trial_id"]:
        image = imageio.imread(story.folder.render(name))
        assert image.shape == (24, 48, 3)


def test_no_process_was_started_that_a_study_does_not_need(story: Story) -> None:
    assert "raylet" in story.daemons
    for idle in ("autoscaler/_private/monitor.py", "log_monitor.py", "dashboard/dashboard.py"):
        assert idle not in story.daemons


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


def test_the_copy_is_whole(story: Story) -> None:
    here = {key: (story.folder.path / key).read_bytes() for key in list_files(story.folder.path)}
    there = {key: story.storage.read(key) for key in story.storage.listing()}
    assert {"report.html", "trials.parquet", "best.toml", "records/00002.json"} <= set(there)
    assert there == here


def test_no_secret_is_stored_anywhere(story: Story) -> None:
    files = [file for file in story.folder.path.rglob("*") if file.is_file()]
    assert len(files) > 20
    assert [file for file in files if b"5ec4e75ec4e7" in file.read_bytes()] == []
    there = {key: story.storage.read(key) or b"" for key in story.storage.listing()}
    assert [key for key, content in there.items() if b"5ec4e75ec4e7" in content] == []
    assert "5ec4e7" not in story.output


def test_no_half_files_are_left(story: Story) -> None:
    assert {file.name for file in story.folder.path.glob(".*")} == {".lease.json"}
    assert not list((story.folder.path / "checkpoints").glob("*.pt"))


def test_a_report_is_written_where_the_study_lies(
    story: Story, capsys: pytest.CaptureFixture[str]
) -> None:
    another = Storage(f"{story.storage.url}-without-report")
    for key in set(story.storage.listing()) - {"report.html"}:
        another.write(key, story.storage.read(key) or b"")
    assert report([another.url]) == 0
    assert f"{another.url}/report.html" in capsys.readouterr().out
    assert (another.read("report.html") or b"").startswith(b"<!doctype html>")
    assert len(load_study(another.url).trials) == TRIALS
