"""Twenty SIGKILLs of the driver over one study, which must come out as if there had been none."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from study.folder import StudyFolder
from tests.study.conftest import TINY, start

pytestmark = pytest.mark.slow

KILLS, TRIALS, STEPS = 20, 24, 60
ASKED = [f"--explore={TRIALS}", "--optimize=0", f"--steps={STEPS}", "--set=evaluation.times=3"]


def kill_driver(driver: subprocess.Popen[str]) -> None:
    """SIGKILL for the driver alone; a moment later for what Ray has not cleared away itself."""
    family = psutil.Process(driver.pid).children(recursive=True)
    driver.kill()
    _, left = psutil.wait_procs(family, timeout=1)
    for member in left:
        member.kill()
    driver.communicate()


@pytest.fixture(scope="module")
def studies(scene_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    studies = tmp_path_factory.mktemp("kills")
    place = ["--studies", str(studies)]
    new = ["--scene", str(scene_file), *ASKED, *TINY]
    draw = np.random.default_rng(5)
    folder = StudyFolder(studies / "killed")
    before: dict[str, bytes] = {}
    for _ in range(KILLS):
        begin = ["--resume"] if folder.spec_file.exists() else new
        driver = start(*place, "--name=killed", *begin, cwd=studies)
        # The first trials come when Ray has started; a kill before is one of the twenty as well.
        moment = time.monotonic() + draw.uniform(0.5, 6.5)
        while time.monotonic() < moment and driver.poll() is None:
            time.sleep(0.05)
        if driver.poll() is None:
            kill_driver(driver)
        now = {file.name: file.read_bytes() for file in folder.path.glob("records/0*.json")}
        assert before.items() <= now.items(), "a completed trial was lost or run again"
        before = now
    for name, begin in (("killed", ["--resume"]), ("unbroken", new)):
        driver = start(*place, f"--name={name}", *begin, cwd=studies)
        said, _ = driver.communicate(timeout=200)
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
