"""Studies of a program of the user, on real processes."""

from __future__ import annotations

import shlex
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

import psutil
import pytest

from analysis.report import main as report
from study.records.study_folder import StudyFolder
from tests.study.sweeps import end_of, kill_all, start, wait_for
from tests.study.trainers.fake_trainer import LOADER
from tests.study.trials import record

pytestmark = pytest.mark.slow

FAKE = Path(__file__).parents[1] / "trainers" / "fake_trainer.py"
COMMAND = f"{shlex.quote(sys.executable)} {shlex.quote(str(FAKE))} --lr {{lr}} --width {{width}}"
RUN = f"{COMMAND} --steps {{steps}} --folder {{folder}}"
PARAMETERS = """
[lr]
default = 0.1
low = 1e-3
high = 1.0
log = true
doc = "Of Adam."

[width]
default = 16
low = 4
high = 64
unit = "units"
"""
FAULTS = """
[fault]
default = "none"
choices = ["none", "kill", "exit", "memory", "hang", "nan", "fail", "garbage"]

[notes]
default = "."
"""


def options(place: Path, command: str = RUN, parameters: str = PARAMETERS) -> list[str]:
    (place / "parameters.toml").write_text(parameters)
    files = [f"--command={command}", "--parameter-file=parameters.toml"]
    return [*files, "--metric=psnr", "--direction=max", "--unit=dB"]


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> tuple[StudyFolder, Path]:
    """A study in which each trial goes wrong in its own way, and the steps that were noted."""
    place = tmp_path_factory.mktemp("faults")
    (notes := place / "notes").mkdir()
    command = f"{RUN} --fault {{fault}} --notes {{notes}} --results {{metrics}}"
    grid = ["--design=grid", "--optimise=0", "--replicates=0", f"--set=notes={notes}"]
    faults = "--vary=fault=none,kill,exit,memory,hang,nan,fail,garbage"
    limits = ["--steps=20", "--patience=8", "--retries=1", "--name=faults"]
    chosen = options(place, command, PARAMETERS + FAULTS)
    status, output = end_of(start(*chosen, *grid, faults, *limits, cwd=place))
    assert status == 0, output
    return StudyFolder(place / "studies" / "faults"), notes


def test_each_fault_has_its_outcome(faults: tuple[StudyFolder, Path]) -> None:
    trials = faults[0].read_trials()
    ends = zip(trials["state"], trials["reason"], strict=True)
    assert dict(zip(trials["fault"], ends, strict=True)) == {
        "none": ("completed", ""),
        "kill": ("completed", ""),
        "exit": ("failed", "the program exited with status 1: ValueError: bad learning rate"),
        "memory": (
            "failed",
            "out of memory with width=16 (the program exited with status 1: "
            "torch.OutOfMemoryError: CUDA out of memory. Tried 2 GiB)",
        ),
        "hang": ("failed", "hung: no output for 8 s (--patience)"),
        "nan": ("collapsed", "diverged: psnr is nan at step 5"),
        "fail": ("collapsed", "no gradient; lower lr"),
        "garbage": ("completed", ""),
    }


def trial_of(folder: StudyFolder, fault: str) -> str:
    trials = folder.read_trials()
    return str(trials["trial_id"][trials["fault"] == fault].iloc[0])


def test_a_killed_program_resumes_at_its_step(faults: tuple[StudyFolder, Path]) -> None:
    folder, notes = faults
    assert list(map(int, (notes / "kill").read_text().split())) == [*range(1, 8), *range(6, 21)]
    killed, alike = (record(folder, trial_of(folder, name)) for name in ("kill", "none"))
    curves = [[(p["step"], p["psnr"]) for p in each["curve"]] for each in (killed, alike)]
    assert curves[0] == curves[1]
    assert killed["trial"]["test_psnr"] == alike["trial"]["test_psnr"] == 2.0


def test_nothing_is_left_of_a_trial_but_its_results(faults: tuple[StudyFolder, Path]) -> None:
    folder = faults[0]
    assert list((folder.path / "checkpoints").iterdir()) == []
    assert folder.render(trial_of(folder, "none")).exists()
    log = folder.log(trial_of(folder, "garbage")).read_text()
    assert "Step (% Done)       Train Iter (time)" in log
    assert "not understood: " in log
    error = folder.error(trial_of(folder, "exit")).read_text()
    assert "Traceback (most recent call last):" in error
    assert {"eval_loss", "test_psnr", "lr", "width", "seed"} <= set(folder.read_trials())
    assert running(folder) == []


def test_it_is_reported_without_its_parameter_file(faults: tuple[StudyFolder, Path]) -> None:
    folder = faults[0]
    file = folder.path.parents[1] / "parameters.toml"
    text = file.read_text()
    file.unlink()
    assert report([str(folder.path)]) == 0
    file.write_text(text)
    page = folder.report.read_text()
    assert "fake_trainer.py" in page
    assert "psnr" in page


def running(folder: StudyFolder) -> list[psutil.Process]:
    """What the study's programs have forked, and is still there."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if LOADER in words and any(str(folder.path) in word for word in words):
            found.append(process)
    return found


@pytest.mark.soak
def test_a_driver_killed_alone_or_with_all_loses_nothing(tmp_path: Path) -> None:
    budget = ["--explore=10", "--optimise=0", "--replicates=0", "--steps=20"]
    chosen = options(tmp_path, f"{RUN} --seconds-a-step 0.03 --results {{metrics}}")
    command = [*chosen, *budget, "--name=a", "--max-concurrent=1", "--resume"]
    folder = StudyFolder(tmp_path / "studies" / "a")
    driver = start(*command[:-1], cwd=tmp_path)
    # First all processes but the program's own, which nobody may kill; then the driver alone.
    for ended, kills_all in ((1, True), (4, False)):
        wait_for(driver, partial(has_come_to, folder, ended))
        family = [psutil.Process(driver.pid), *psutil.Process(driver.pid).children(True)]
        kill_all([p for p in family if not is_program(p)] if kills_all else family[:1])
        driver.communicate()
        driver = start(*command, cwd=tmp_path)
    status, output = end_of(driver)
    assert status == 0, output
    trials = folder.read_trials()
    assert list(trials["number"]) == list(range(10))
    assert (trials["state"] == "completed").all()
    for trial_id in trials["trial_id"]:
        assert [point["step"] for point in record(folder, trial_id)["curve"]] == [5, 10, 15, 20]
    assert running(folder) == []


def has_come_to(folder: StudyFolder, ended: int) -> bool:
    """Whether so many trials have ended, and the program of another one runs."""
    return folder.count_records() >= ended and bool(running(folder))


def is_program(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return any("fake_trainer" in word for word in process.cmdline())
    return False
