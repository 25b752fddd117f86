"""One study, stopped in every way a person or a machine stops it, and gone on with each time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from study.folder import StudyFolder
from tests.study.conftest import RUN_SWEEP, TINY, record, wait_for

pytestmark = pytest.mark.slow

STEPS = 3000


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

    def end(self, number: signal.Signals, times: int = 1) -> tuple[str, float, list[int]]:
        """Sends a signal to the whole group; what it said, the seconds it took, who is left."""
        family = psutil.Process(self.process.pid).children(recursive=True)
        began = time.monotonic()
        for _ in range(times):
            os.killpg(self.process.pid, number)
            time.sleep(0.3)
        said, _ = self.process.communicate(timeout=60)
        seconds = time.monotonic() - began
        gone, left = psutil.wait_procs(family, timeout=3)
        return said, seconds, [member.pid for member in left]


@pytest.mark.parametrize(
    ("number", "times"), [(signal.SIGINT, 1), (signal.SIGTERM, 1), (signal.SIGINT, 2)]
)
def test_it_leaves_in_time_with_nothing_left_behind_and_goes_on(
    number: signal.Signals, times: int, scene_file: Path, tmp_path: Path
) -> None:
    folder = StudyFolder(tmp_path / "stopped")
    asked = ["--scene", str(scene_file), "--explore=2", "--optimize=0", f"--steps={STEPS}", *TINY]
    driver = Driver(tmp_path, *asked, "--set=evaluation.times=60", "--wandb=offline")
    driver.wait_until_it_trains(folder)
    said, seconds, left = driver.end(number, times)
    assert driver.process.returncode == 130, said
    assert seconds < (10 if times == 1 else 4)
    assert left == []
    assert "Traceback" not in said
    assert f"--studies {tmp_path} --name stopped --resume" in said
    if times == 1:
        kept = [log.read_text() for log in (folder.path / "logs").glob("*.log")]
        assert any("stopped after step" in text for text in kept)
    if (number, times) == (signal.SIGINT, 1):
        goes_on_and_ends(tmp_path, folder)


def goes_on_and_ends(studies: Path, folder: StudyFolder) -> None:
    said, _ = Driver(studies, "--resume").process.communicate(timeout=150)
    assert "2/2 trials, 2 completed" in said, said
    assert any("goes on after step" in log.read_text() for log in folder.path.glob("logs/*.log"))
    for name in ("00000", "00001"):
        steps = [point["step"] for point in record(folder, name)["curve"]]
        assert steps == list(range(STEPS // 60, STEPS + 1, STEPS // 60))
