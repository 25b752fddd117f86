"""One study, stopped in every way a person or a machine stops it, and gone on with each time."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from study.records.study_folder import StudyFolder
from tests.study.sweeps import RUN_SWEEP, TINY, wait_for
from tests.study.trials import record
from tests.study.wandb_runs import read_run

pytestmark = pytest.mark.slow

STEPS, TIMES = 3000, 60


class Driver:
    """The command in a process group of its own, as a terminal starts it."""

    def __init__(self, studies: Path, *arguments: str) -> None:
        command = [sys.executable, str(RUN_SWEEP), "--studies", str(studies), "--name", "stopped"]
        self.process = subprocess.Popen(
            [*command, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def wait_until_it_trains(self, folder: StudyFolder) -> None:
        logs = {log: log.stat().st_size for log in (folder.path / "logs").glob("*.log")}

        def trains() -> bool:
            return any(
                "dB" in log.read_text()[logs.get(log, 0) :]
                for log in (folder.path / "logs").glob("*.log")
            )

        wait_for(self.process, trains)

    def end(self, send: Callable[[int, int], None], number: int, times: int = 1) -> Ended:
        """Sends a signal and watches what comes of it."""
        family = psutil.Process(self.process.pid).children(recursive=True)
        began = time.monotonic()
        for _ in range(times):
            send(self.process.pid, number)
            time.sleep(0.3)
        said, _ = self.process.communicate(timeout=60)
        seconds = time.monotonic() - began
        psutil.wait_procs(family, timeout=3)
        return Ended(said, self.process.returncode, seconds, [str(m) for m in family if lives(m)])


def lives(member: psutil.Process) -> bool:
    """A zombie does not: it only waits for init to take note."""
    try:
        return member.is_running() and member.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@dataclass(frozen=True)
class Ended:
    said: str
    status: int
    seconds: float
    left: list[str]
    """The processes that outlived the driver."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> StudyFolder:
    return StudyFolder(tmp_path_factory.mktemp("stopped studies") / "stopped")


@pytest.fixture(scope="module")
def story(scene_file: Path, folder: StudyFolder) -> dict[str, Ended]:
    """How each launch of one study ended, the last one by itself."""
    studies = folder.path.parent
    asked = ["--scene", str(scene_file), "--explore=2", "--optimize=0", f"--steps={STEPS}", *TINY]
    ways: dict[str, tuple[Callable[[int, int], None], int, int]] = {
        "Ctrl-C": (os.killpg, signal.SIGINT, 1),
        "SIGTERM": (os.kill, signal.SIGTERM, 1),
        "Ctrl-C twice": (os.killpg, signal.SIGINT, 2),
        "SIGTERM for all": (os.killpg, signal.SIGTERM, 1),
    }
    ended = {}
    for way, (send, number, times) in ways.items():
        arguments = ["--resume"] if ended else [*asked, f"--set=evaluation.times={TIMES}"]
        driver = Driver(studies, *arguments, "--wandb=offline")
        driver.wait_until_it_trains(folder)
        ended[way] = driver.end(send, number, times)
    last = Driver(studies, "--resume").process
    said, _ = last.communicate(timeout=400)
    ended["resumed"] = Ended(said, last.returncode, 0.0, [])
    for way, how in ended.items():
        print(f"{way}: {how.seconds:.1f} s")
    return ended


@pytest.mark.parametrize("way", ["Ctrl-C", "SIGTERM", "Ctrl-C twice", "SIGTERM for all"])
def test_it_leaves_in_time_and_says_how_to_go_on(story: dict[str, Ended], way: str) -> None:
    ended = story[way]
    assert ended.status == 130, ended.said
    # Twice as long as a machine of its own takes: the suite's other process works beside it.
    assert ended.seconds < (8 if "twice" in way else 20)
    assert ended.left == []
    assert "Traceback" not in ended.said
    assert "--name stopped --resume" in ended.said


def test_asked_once_trials_keep_themselves(story: dict[str, Ended], folder: StudyFolder) -> None:
    for name in ("00000", "00001"):
        log = folder.log(name).read_text()
        kept = [int(step) for step in re.findall(r"stopped after step (\d+)", log)]
        taken_up = [int(step) for step in re.findall(r"resumes after step (\d+)", log)]
        # Twice the driver alone was asked; told directly as well, a trial may be quick enough too.
        assert len(kept) >= 2
        assert set(kept) <= set(taken_up)


def test_a_trial_taken_up_again_goes_on_with_its_wandb_run(
    story: dict[str, Ended], folder: StudyFolder
) -> None:
    """What the last launch logged; those that were stopped closed their runs, too."""
    kept = sorted((folder.wandb / "wandb").glob("offline-run-*-00000"))
    runs = [read_run(run) for run in kept if list(run.glob("*.wandb"))]
    assert len(runs) >= 3
    assert len({run.id for run in runs if run.id}) == 1
    last = runs[-1]
    assert (last.group, last.kind) == ("stopped", "explore")
    assert last.steps[-1] == STEPS
    assert last.steps[0] > STEPS // TIMES
    assert "completed" in last.tags
    assert last.summary["state"] == "completed"
    assert last.summary["render._type"] == "image-file"
    assert last.summary["film._type"] == "video-file"


def test_it_ends_with_every_trial_whole(story: dict[str, Ended], folder: StudyFolder) -> None:
    assert "2/2 trials, 2 completed" in story["resumed"].said
    for name in ("00000", "00001"):
        steps = [point["step"] for point in record(folder, name)["curve"]]
        assert steps == list(range(STEPS // TIMES, STEPS + 1, STEPS // TIMES))
