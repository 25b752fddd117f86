"""A study of the version before the rooms: read, reported, resumed and extended.

Two of its three trials have ended. The third was running when its driver was killed; its checkpoint
is there.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from analysis.data.study import load_study
from analysis.report import main as report
from study import run_sweep, status
from study.cli.make_plan import make_plan
from study.cli.options import Options
from study.records.study_folder import StudyFolder
from tests.study.sweeps import end_of, start

LEGACY = Path(__file__).parents[2] / "legacy" / "study"


def copy_to(studies: Path) -> StudyFolder:
    return StudyFolder(Path(shutil.copytree(LEGACY, studies / "before")))


@pytest.fixture
def legacy(tmp_path: Path) -> StudyFolder:
    return copy_to(tmp_path)


def test_its_status_is_shown(legacy: StudyFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert status.main([str(legacy.path)]) == 0
    output = capsys.readouterr().out
    assert "2/3 trials, 1 interrupted\n" in output
    assert "best: trial 0, 16.15 dB" in output
    assert "running" not in output.replace("not running", "")
    assert "not running; resume with: " in output


def test_its_tables_say_how_its_trials_started(legacy: StudyFolder) -> None:
    legacy.write_tables()
    trials = legacy.read_trials()
    assert set(trials["field.initial_density"]) == {0.0}
    assert set(trials["optimisation.crop"]) == {"centre"}
    assert load_study(legacy).space.config({}).field.initial_density == 0


def test_its_report_is_written(legacy: StudyFolder) -> None:
    assert report([str(legacy.path)]) == 0
    assert "16.15" in legacy.report.read_text()


def test_extending_it_needs_the_consent_of_its_user(
    legacy: StudyFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    before = legacy.spec_file.read_bytes()
    place = ["--studies", str(legacy.path.parent), "--name", legacy.name]
    assert run_sweep.main([*place, "--extend", "1"]) == 2
    error = capsys.readouterr().err
    assert "an earlier version of this program created it" in error
    assert "--allow-changes" in error
    assert legacy.spec_file.read_bytes() == before


def test_resuming_it_warns_that_its_code_cannot_be_compared(legacy: StudyFolder) -> None:
    plan = make_plan(Options(resume=True, name=legacy.name, studies=str(legacy.path.parent)))
    assert (plan.spec.trials, plan.is_new) == (3, False)
    assert "study before was created differently: " in plan.warning
    assert "an earlier version of this program created it" in plan.warning


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> StudyFolder:
    """With one trial more; the same launch first resumes the interrupted one."""
    studies = tmp_path_factory.mktemp("studies")
    folder = copy_to(studies)
    options = ["--extend=1", "--allow-changes", "--max-concurrent=1"]
    status, output = end_of(start(f"--studies={studies}", "--name=before", *options, cwd=studies))
    assert status == 0, output
    return folder


@pytest.mark.slow
def test_its_interrupted_trial_continues_from_its_checkpoint(extended: StudyFolder) -> None:
    saved_steps = 100  # in the checkpoint
    assert f"after step {saved_steps}" in extended.log("00002").read_text()
    for trial_id in ("00000", "00001"):  # as they were
        ended = LEGACY / "records" / f"{trial_id}.json"
        assert extended.record_file(trial_id).read_bytes() == ended.read_bytes()


@pytest.mark.slow
def test_it_gets_one_more_trial(extended: StudyFolder) -> None:
    assert list(extended.read_trials()["number"]) == [0, 1, 2, 3]
    assert set(extended.read_trials()["state"]) <= {"completed", "collapsed"}
    (entry,) = json.loads(extended.spec_file.read_text())["extended"]
    assert entry["to"]["explore"] == entry["from"]["explore"] + 1
    assert entry["differences"]
