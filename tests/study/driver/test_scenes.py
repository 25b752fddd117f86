"""One real study of two scenes: its driver is killed, another resumes it and reports.

The tests of this file look at what that left.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from analysis.report import main as report
from study import status
from study.ledger.journal import read_trials
from study.records.study_folder import StudyFolder
from study.search.trial_values import scene_of
from tests.study.sweeps import TINY, end_of, kill_tree, start, wait_for
from tests.study.wandb_runs import read_run

pytestmark = pytest.mark.slow

SCENES = ("ball", "bricks")
STEPS = 40
NEW = ["--explore=4", "--optimize=2", "--replicates=3", f"--steps={STEPS}", "--wandb=offline"]
TRIALS = 2 * (4 + 2 + 3)


@dataclass(frozen=True)
class Story:
    folder: StudyFolder
    before: int
    """Trials that had ended as the driver was killed."""
    status: int
    output: str


@pytest.fixture(scope="module")
def story(scene_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Story:
    place = tmp_path_factory.mktemp("two scenes")
    folder = StudyFolder(place / "studies" / "both")
    scenes = ["--scene", str(scene_file), "--scene=bricks"]
    driver = start(*scenes, "--name=both", *NEW, *TINY, cwd=place)
    wait_for(driver, lambda: folder.count_records() >= 3)
    kill_tree(driver)
    before = folder.count_records()
    again = start("--name=both", "--resume", cwd=place)
    code, output = end_of(again)
    return Story(folder, before, code, output)


def test_it_ends_with_exactly_its_trials_half_of_them_on_each_scene(story: Story) -> None:
    assert story.status == 0, story.output
    assert 3 <= story.before < TRIALS
    trials = story.folder.read_trials()
    assert list(trials["number"]) == list(range(TRIALS))
    assert list(trials["scene"]) == [*SCENES] * (TRIALS // 2)
    assert [scene_of(trial) for trial in read_trials(story.folder)] == [*SCENES] * (TRIALS // 2)
    assert set(trials["state"]) <= {"completed", "pruned", "collapsed"}
    explored = trials[trials["phase"] == "explore"]
    widths = [list(own["field.width"]) for _, own in explored.groupby("scene")]
    assert widths[0] == widths[1]


def test_each_scene_has_its_report_and_its_best_configuration(story: Story) -> None:
    for name in SCENES:
        best = flatten_toml(story.folder.best_of(name))
        own = story.folder.read_trials().query("scene == @name and phase != 'replicate'")
        ranked = own[own["state"] == "completed"].sort_values("psnr")
        assert best["sampling.near"] == pytest.approx(ranked.iloc[-1]["sampling.near"])
        assert f"{name}</h1>" in story.folder.report_of(name).read_text()
        assert f"best on {name}: trial" in story.output
    page = story.folder.report.read_text()
    assert all(f'href="report-{name}.html"' in page for name in SCENES)
    assert f"report: {story.folder.report}" in story.output


def test_status_and_the_report_read_it(story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    assert status.main([str(story.folder.path)]) == 0
    output = capsys.readouterr().out
    assert f"{TRIALS}/{TRIALS} trials" in output
    assert all(f"best on {name}: trial" in output for name in SCENES)
    assert report([str(story.folder.path), "--format=json"]) == 0
    written = capsys.readouterr().out
    assert "analysis/bricks/claims.json" in written
    claims = json.loads((story.folder.path / "analysis" / "claims.json").read_text())
    assert {"what_matters", "what_breaks", "scenes_rate"} <= {claim["kind"] for claim in claims}
    assert report([str(story.folder.path), str(story.folder.path)]) == 2
    assert "is a study of several scenes, which is reported alone" in capsys.readouterr().err


def test_runs_of_wandb_have_their_scene_as_configuration(story: Story) -> None:
    runs = [read_run(place) for place in story.folder.wandb.glob("wandb/offline-run-*")]
    whole = [run for run in runs if run.config]  # others were killed before W&B wrote any
    by_id = {run.id.rpartition("-")[2]: run.config["scene"] for run in whole}
    trials = story.folder.read_trials()
    assert by_id == dict(zip(trials["trial_id"], trials["scene"], strict=True))


def flatten_toml(file: Path) -> dict[str, object]:
    sections = tomllib.loads(file.read_text())
    return {
        f"{section}.{name}": value
        for section, own in sections.items()
        if isinstance(own, dict)
        for name, value in own.items()
    }
