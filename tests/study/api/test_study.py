"""Studies run from Python: in the background, extended, interrupted, and with their process."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

import analysis
from nerf.common.errors import InputError
from study import Study, StudyInterrupted
from tests.study.api import slow
from tests.study.sweeps import kill_all, lives, wait_until_gone

SCRIPT = f"""
import sys
from study import Study
if __name__ == "__main__":
    Study.create("a", trainable={slow.__file__ + ":train"!r}, metric="loss", direction="min",
                 explore=3, optimise=0, replicates=0, steps=1000, max_concurrent=1,
                 studies=sys.argv[1]).run()
"""


def create(name: str, studies: Path, **options: object) -> Study:
    usual = {"explore": 3, "optimise": 0, "replicates": 0, "steps": 40, "max_concurrent": 1}
    return Study.create(
        name,
        trainable=slow.train,
        metric="loss",
        direction="min",
        studies=studies,
        **(usual | options),
    )


def until(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 300
    while not happens():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("studies")


@pytest.mark.slow
def test_a_dry_run_says_how_long_and_creates_nothing(
    studies: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = create("dry", studies, explore=40)
    study.dry_run()
    shown = capsys.readouterr().out
    assert f"study dry in {study.path}: 40 trials of 40 steps (a dry run: nothing is created)" in (
        shown
    )
    assert "trials: 40 (40 explore), 1 at a time" in shown
    assert "time: about" in shown
    assert not study.path.exists()
    assert not study.is_running


@pytest.mark.slow
def test_a_study_in_the_background_shows_its_trials(
    studies: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = create("a", studies)
    assert repr(study) == "study a: not started"
    assert study.trials.empty
    assert not study.path.exists()
    study.run(wait=False)
    other = Study.open  # as another process does, by the folder alone
    until(lambda: study.path.exists() and "running" in set(other(study.path).trials["state"]))
    running = other(study.path).trials.query("state == 'running'").iloc[0]
    assert running["budget_steps"] == 40
    assert 0.01 <= running["lr"] <= 1
    assert study.is_running
    with pytest.raises(InputError, match="is being run by this process"):
        study.resume()
    study.wait()
    assert list(study.trials["state"]) == ["completed"] * 3
    assert list(study.trials["steps_done"]) == [40] * 3
    assert len(study.curves) == 24
    assert "loss" in study.curves
    assert not study.is_running
    shown = capsys.readouterr().out
    assert "a: trial 2 (explore) trained with" in shown
    assert f"report: {study.path / 'report.html'}" in shown
    assert study.trials["number"].tolist() == analysis.load(study.path).trials["number"].tolist()


@pytest.mark.slow
def test_a_study_is_extended_from_a_thread(studies: Path) -> None:
    study = Study.open(studies / "a")
    with pytest.raises(InputError, match=r"study a has been started; .resume\(\) continues it"):
        study.run()
    with pytest.raises(InputError, match="--extend must be at least 1, got 0"):
        study.extend(0)
    thread = threading.Thread(target=lambda: study.extend(1, max_concurrent=2))
    thread.start()
    thread.join()
    assert len(study.trials) == 4
    assert study.spec.explore == 4


@pytest.mark.slow
def test_stop_lets_trials_save_their_checkpoints_and_resume_continues(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = create("a", tmp_path, steps=300, explore=1).run(wait=False)
    until(lambda: not study.curves.empty or (study.trials.get("steps_done", []) > 20).any())
    study.stop()
    with pytest.raises(StudyInterrupted, match=r"stopped before its end; .resume\(\) continues it"):
        study.wait()
    assert study.trials["state"].tolist() == ["running"]
    study.resume()
    assert study.trials["state"].tolist() == ["completed"]
    assert "resumes after step" in (study.path / "logs" / "00000.log").read_text()


@pytest.mark.soak
@pytest.mark.slow
@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL])
def test_the_study_of_a_script_ends_with_it_and_can_be_resumed(
    blow: signal.Signals, tmp_path: Path
) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, "script.py", str(tmp_path)]
    script = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    study_folder = tmp_path / "a"
    try:
        until(lambda: (study_folder / "checkpoints" / "00000.pt").exists())
        processes = psutil.Process(script.pid).children(recursive=True)
        driver = Study.open(study_folder)
        assert driver.is_running
        script.send_signal(blow)
        output = script.communicate(timeout=60)[0]
        until(lambda: not driver.is_running)
        assert wait_until_gone(processes) == []
    finally:
        kill_all([p for p in processes if lives(p)])
    if blow == signal.SIGINT:
        assert "StudyInterrupted" in output
        assert "stopping: running trials are saving checkpoints" in output
    log = (study_folder / "logs" / "00000.log").read_text()
    assert "stopped; its last report is of step" in log
    assert driver.trials["state"].tolist() == ["running"]
