"""One study, stopped in every way a person or a machine stops it, and resumed each time."""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from study import run_sweep
from study.records.study_folder import StudyFolder
from study.trackers.mlflow_run import local_uri
from tests.study.sweeps import (
    BOTH_COMPLETED,
    TINY,
    end_of,
    hooks,
    start,
    wait_for,
    wait_until_gone,
)
from tests.study.trials import record
from tests.study.wandb_runs import read_run

STEPS, TIMES = 320, 64
EVALUATIONS = list(range(STEPS // TIMES, STEPS + 1, STEPS // TIMES))
# As many rays as a video of six frames needs.
BUDGET = [f"--steps={STEPS}", f"--set=evaluation.times={TIMES}", "--set=optimisation.rays=512"]
NEW = [
    "--explore=2",
    "--optimize=0",
    "--replicates=0",
    *BUDGET,
    *(o for o in TINY if "rays" not in o),
]

RESUME = ["--resume", "--max-concurrent=1"]

HAS_MLFLOW = importlib.util.find_spec("mlflow") is not None
TRACKED = ["--wandb=offline", "--track=tensorboard", *(["--track=mlflow"] if HAS_MLFLOW else [])]

WAYS = {
    "Ctrl-C": (signal.SIGINT, 1),
    "closed terminal": (signal.SIGHUP, 2),
    "Ctrl-C twice": (signal.SIGINT, 2),
    "SIGTERM": (signal.SIGTERM, 1),
}
"""Which signal the process group gets, and how often."""


def wait_until_trials_run(driver: subprocess.Popen[str], folder: StudyFolder, trials: int) -> None:
    """Until so many have been evaluated in this launch."""
    sizes = {log: log.stat().st_size for log in (folder.path / "logs").glob("*.log")}

    def run() -> bool:
        logs = (folder.path / "logs").glob("*.log")
        return sum("dB" in log.read_text()[sizes.get(log, 0) :] for log in logs) >= trials

    wait_for(driver, run)


@dataclass(frozen=True)
class Ended:
    status: int
    output: str
    left: list[str]
    """The processes that outlived the driver."""


def stop(driver: subprocess.Popen[str], number: int, times: int) -> Ended:
    """Sends a signal to the process group and watches what comes of it."""
    family = psutil.Process(driver.pid).children(recursive=True)
    for _ in range(times):
        os.killpg(driver.pid, number)
        time.sleep(0.3)
    status, output = end_of(driver)
    return Ended(status, output, [str(member) for member in wait_until_gone(family)])


def fill(disk: Path) -> Path:
    """A file that takes all there is."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(b"0" * 65536):
                pass
        except OSError:
            pass
    return filler


@dataclass(frozen=True)
class Disk:
    path: Path
    is_small: bool
    """Whether it is a file system of its own, which a test may fill."""


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    path = tmp_path_factory.mktemp("small disk")
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(path)]
    is_small = subprocess.run(mount, capture_output=True).returncode == 0
    yield Disk(path, is_small)
    if is_small:
        subprocess.run(["umount", "-l", str(path)], check=True)


@pytest.fixture
def small_disk(disk: Disk) -> Path:
    if not disk.is_small:
        pytest.skip("no right to mount a small file system")
    return disk.path


@pytest.fixture(scope="module")
def folder(disk: Disk) -> StudyFolder:
    return StudyFolder(disk.path / "stopped")


@pytest.fixture(scope="module")
def story(scene_file: Path, folder: StudyFolder, disk: Disk) -> dict[str, Ended]:
    """How each launch of one study ended, the last one by itself."""
    place = ["--studies", str(disk.path), "--name", folder.name]
    slow = hooks(SECONDS_A_STEP="0.3")  # none ends before it is stopped, on slow machines too
    ended: dict[str, Ended] = {}

    def launch(*options: str) -> subprocess.Popen[str]:
        driver = start(*place, *options, cwd=disk.path.parent, environment=slow)
        # The first signal stops two trials; then one process less is started in each launch.
        wait_until_trials_run(driver, folder, trials=1 if ended else 2)
        return driver

    for way, (number, times) in WAYS.items():
        new = ["--scene", str(scene_file), *NEW, *TRACKED]
        ended[way] = stop(launch(*(RESUME if ended else new)), number, times)
    if disk.is_small:
        driver = launch(*RESUME, "--wandb=off")
        filler = fill(disk.path)
        ended["full disk"] = Ended(*end_of(driver), left=[])
        filler.unlink()
    last = start(*place, *RESUME, cwd=disk.path.parent)
    ended["resumed"] = Ended(*end_of(last), left=[])
    return ended


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_it_leaves_nothing_running_and_says_how_to_resume(
    story: dict[str, Ended], way: str
) -> None:
    ended = story[way]
    assert ended.left == []
    assert ended.status == 130, ended.output
    assert "Traceback" not in ended.output
    assert "--name stopped --resume" in ended.output
    if way == "Ctrl-C twice":
        assert "stopped at once" in ended.output


@pytest.mark.slow
@pytest.mark.parametrize(("name", "stops"), [("00000", 2), ("00001", 1)])
def test_running_trials_save_checkpoints_that_the_next_launch_resumes(
    story: dict[str, Ended], folder: StudyFolder, name: str, stops: int
) -> None:
    log = folder.log(name).read_text()
    reported = [int(step) for step in re.findall(r"last report is of step (\d+)", log)]
    resumed_after = [int(step) for step in re.findall(r"resumes after step (\d+)", log)]
    # Ray's processes block Ctrl-C; a signal that reaches them all may end a trial before it saves.
    assert len(reported) >= stops
    for step in reported:  # the next attempt goes on from there, not from an earlier report
        assert any(0 <= resumed - step < STEPS // TIMES for resumed in resumed_after)


@pytest.mark.slow
def test_a_full_disk_stops_it_and_says_how_to_resume(
    story: dict[str, Ended], small_disk: Path
) -> None:
    ended = story["full disk"]
    assert ended.status == 2, ended.output
    assert "Traceback" not in ended.output
    assert "stopped: the disk is full; fix that, then resume with: " in ended.output


@pytest.mark.slow
def test_a_resumed_trial_continues_its_wandb_run(
    story: dict[str, Ended], folder: StudyFolder
) -> None:
    """What the last launch logged; those that were stopped closed their runs, too."""
    folders = sorted((folder.wandb / "wandb").glob("offline-run-*-00000"))
    runs = [read_run(run) for run in folders if list(run.glob("*.wandb"))]
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


@pytest.mark.slow
def test_a_resumed_trial_has_each_step_once_in_tensorboard(
    story: dict[str, Ended], folder: StudyFolder
) -> None:
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    run = reader.EventAccumulator(str(folder.tensorboard / "00000")).Reload()
    assert [event.step for event in run.Scalars("psnr")] == EVALUATIONS
    assert [event.step for event in run.Images("render")] == [STEPS]


@pytest.mark.slow
@pytest.mark.skipif(not HAS_MLFLOW, reason="the extra [mlflow] is not installed")
def test_a_resumed_trial_has_each_step_once_in_mlflow(
    story: dict[str, Ended], folder: StudyFolder
) -> None:
    from mlflow import MlflowClient

    # Two trials had opened the new file at the same time.
    assert "is not written to" not in story["Ctrl-C"].output
    client = MlflowClient(tracking_uri=local_uri(folder))
    experiment = client.get_experiment_by_name(folder.name)
    runs = client.search_runs([experiment.experiment_id], order_by=["tags.mlflow.runName"])
    assert [run.info.run_name for run in runs] == ["00000", "00001"]
    for run in runs:
        assert run.data.tags["state"] == "completed"
        history = client.get_metric_history(run.info.run_id, "psnr")
        assert sorted(metric.step for metric in history) == EVALUATIONS


@pytest.mark.slow
def test_it_ends_with_every_trial_whole(story: dict[str, Ended], folder: StudyFolder) -> None:
    assert re.search(BOTH_COMPLETED, story["resumed"].output)
    for name in ("00000", "00001"):
        steps = [point["step"] for point in record(folder, name)["curve"]]
        assert steps == EVALUATIONS


def test_no_study_begins_on_a_full_disk(
    small_disk: Path, scene_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {file.name for file in small_disk.iterdir()}
    filler = fill(small_disk)
    arguments = ["--studies", str(small_disk), "--name", "none", "--scene", str(scene_file)]
    assert run_sweep.main(arguments) == 2
    assert "is full: less than 32 MB are free" in capsys.readouterr().err
    filler.unlink()
    assert {file.name for file in small_disk.iterdir()} == before
