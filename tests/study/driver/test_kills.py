"""Twenty SIGKILLs of the driver over one study, which must come out as if there had been none."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from study.records.study_folder import StudyFolder
from tests.study.sweeps import TINY, start, wait_for

pytestmark = pytest.mark.slow

KILLS, TRIALS, STEPS = 20, 24, 120
ASKED = [f"--explore={TRIALS}", "--optimize=0", f"--steps={STEPS}", "--set=evaluation.times=3"]
IN_TRAINING = 5
"""Every fifth kill comes while trials train, the others while the driver or Ray starts."""


def kill_driver(driver: subprocess.Popen[str]) -> None:
    """SIGKILL for the driver alone; a moment later for what Ray has not cleared away itself."""
    family = psutil.Process(driver.pid).children(recursive=True)
    driver.kill()
    _, left = psutil.wait_procs(family, timeout=0.3)
    for member in left:
        member.kill()
    driver.communicate()


def trains(folder: StudyFolder, began: float) -> bool:
    """Has a trial been evaluated since then?"""
    kept = [*folder.path.glob("checkpoints/*.pt"), *folder.path.glob("records/*.json")]
    return any(newer_than(began, file) for file in kept)


def ended(folder: StudyFolder, began: float) -> bool:
    """Has a trial been recorded since then?"""
    return any(newer_than(began, file) for file in folder.path.glob("records/0*.json"))


def newer_than(moment: float, file: Path) -> bool:
    try:
        return file.stat().st_mtime > moment
    except FileNotFoundError:  # a checkpoint goes when its trial ends
        return False


@pytest.fixture(scope="module")
def studies(scene_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    studies = tmp_path_factory.mktemp("kills")
    place = ["--studies", str(studies)]
    new = ["--scene", str(scene_file), *ASKED, *TINY]
    draw = np.random.default_rng(5)
    folder = StudyFolder(studies / "killed")
    before: dict[str, bytes] = {}
    for kill in range(KILLS):
        begin = ["--resume"] if folder.spec_file.exists() else new
        began = time.time()
        driver = start(*place, "--name=killed", *begin, cwd=studies)
        if kill % IN_TRAINING == 0:
            # In the second half a trial must have ended, so that some kills come between two.
            lived = ended if kill >= KILLS // 2 else trains
            wait_for(driver, lambda began=began, lived=lived: lived(folder, began))
        time.sleep(draw.uniform(0, 0.3) if kill % IN_TRAINING == 0 else draw.uniform(0.3, 2.5))
        assert driver.poll() is None, driver.communicate()[0]
        kill_driver(driver)
        now = {file.name: file.read_bytes() for file in folder.path.glob("records/0*.json")}
        assert before.items() <= now.items(), "a completed trial was lost or run again"
        before = now
    assert 0 < len(before) < TRIALS, "no kill came between two trials"
    for name, begin in (("killed", ["--resume"]), ("unbroken", new)):
        driver = start(*place, f"--name={name}", *begin, cwd=studies)
        said, _ = driver.communicate(timeout=400)
        assert driver.returncode == 0, said
    return studies


def table(studies: Path, name: str) -> pd.DataFrame:
    frame = StudyFolder(studies / name).read_trials()
    return frame.drop(columns=["started", "ended", "train_seconds"])


def test_exactly_the_planned_trials_each_with_its_own_values(studies: Path) -> None:
    killed = table(studies, "killed")
    assert list(killed["number"]) == list(range(TRIALS))
    assert len(killed.drop_duplicates(["sampling.near", "optimisation.learning_rate"])) == TRIALS
    assert set(killed["state"]) <= {"completed", "collapsed"}


def test_records_equal_those_of_an_unbroken_run(studies: Path) -> None:
    pd.testing.assert_frame_equal(table(studies, "killed"), table(studies, "unbroken"))


def test_curves_equal_those_of_an_unbroken_run(studies: Path) -> None:
    killed, unbroken = (
        StudyFolder(studies / name).read_curves().drop(columns="seconds")
        for name in ("killed", "unbroken")
    )
    pd.testing.assert_frame_equal(killed, unbroken)
