"""A driver killed at every stage of a study, which must come out as if it had never been killed."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from nerf.scenes import load
from nerf.training.loop import train
from study.records.schema import trial_id
from study.records.study_folder import StudyFolder
from study.search.sobol_design import explore_point, trial_seed
from study.spec.study_spec import StudySpec
from tests.study.sweeps import TINY, end_of, hooks, kill_all, start, wait_for
from tests.study.trials import record

pytestmark = pytest.mark.slow

TRIALS, STEPS = 8, 60
NEW = [
    f"--explore={TRIALS}",
    "--optimize=0",
    "--replicates=0",
    f"--steps={STEPS}",
    "--set=evaluation.times=3",
    *TINY,
]
NEW += ["--max-concurrent=1"]  # a process less in each launch
SLOW, HELD, FAST = hooks(SECONDS_A_STEP="0.03"), hooks(HELD_FROM="0"), hooks()


@dataclass(frozen=True)
class Launch:
    """A study's driver, and how far it has come."""

    folder: StudyFolder
    driver: subprocess.Popen[str]

    def made_study_file(self) -> bool:
        return self.folder.spec_file.exists()

    def opened_journal(self) -> bool:
        return self.folder.journal.exists()

    def started_ray(self) -> bool:
        children = psutil.Process(self.driver.pid).children(recursive=True)
        return any("raylet" in child.name() for child in children)

    def saved_checkpoint(self) -> bool:
        return any(self.folder.path.glob("checkpoints/*.pt"))

    def recorded_trial(self) -> bool:
        return bool(records(self.folder))

    def recorded_all_trials(self) -> bool:
        return len(records(self.folder)) == TRIALS


STAGES: list[tuple[Callable[[Launch], bool], Mapping[str, str]]] = [
    (Launch.made_study_file, FAST),
    (Launch.opened_journal, FAST),
    (Launch.started_ray, FAST),
    (Launch.saved_checkpoint, HELD),
    (Launch.recorded_trial, SLOW),
    (Launch.recorded_all_trials, FAST),
]
"""When each driver is killed, the first one with the study still to be made, and how trials run."""


def records(folder: StudyFolder) -> list[Path]:
    return list(folder.path.glob("records/0*.json"))


def kill_driver(driver: subprocess.Popen[str]) -> None:
    """SIGKILL for the driver alone; a moment later for what Ray has not ended itself."""
    family = psutil.Process(driver.pid).children(recursive=True)
    driver.kill()
    _, alive = psutil.wait_procs(family, timeout=0.3)
    kill_all(alive)
    driver.communicate()


@dataclass(frozen=True)
class Story:
    folder: StudyFolder
    second: tuple[int, str]
    """How a second driver ended that was started while the one called `holder` ran."""
    holder: int
    after_each_kill: list[dict[str, bytes]]
    """The records that each kill left."""
    last: tuple[int, str]


@pytest.fixture(scope="module")
def story(scene_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = StudyFolder(tmp_path_factory.mktemp("kills") / "killed")
    place = ["--studies", str(folder.path.parent), "--name", folder.name]
    draw = np.random.default_rng(5)
    after_each_kill = []
    second, holder = (0, ""), 0
    for has_come, environment in STAGES:
        begin = ["--resume"] if folder.spec_file.exists() else ["--scene", str(scene_file), *NEW]
        driver = start(*place, *begin, cwd=folder.path.parent, environment=environment)
        launch = Launch(folder, driver)
        wait_for(driver, lambda launch=launch, has_come=has_come: has_come(launch))
        if environment is HELD:
            second = end_of(start(*place, "--resume", cwd=folder.path.parent))
            holder = driver.pid
        time.sleep(draw.uniform(0, 0.2))  # not always at the very same instruction
        kill_driver(driver)
        after_each_kill.append({f.name: f.read_bytes() for f in records(folder)})
    last = end_of(start(*place, "--resume", cwd=folder.path.parent))
    return Story(folder, second, holder, after_each_kill, last)


def test_the_last_launch_ends_the_study(story: Story) -> None:
    status, output = story.last
    assert status == 0, output
    assert f"{TRIALS}/{TRIALS} trials" in output
    assert story.folder.report.exists()


def test_kills_came_before_between_and_after_trials(story: Story) -> None:
    *before, between, after = [len(names) for names in story.after_each_kill]
    assert before == [0, 0, 0, 0]
    assert 0 < between < after == TRIALS


def test_no_completed_trial_is_lost_or_run_again(story: Story) -> None:
    last = {file.name: file.read_bytes() for file in records(story.folder)}
    for content in story.after_each_kill:
        assert content.items() <= last.items()


def test_trials_that_were_killed_resume_from_their_checkpoints(story: Story) -> None:
    logs = [log.read_text() for log in (story.folder.path / "logs").glob("*.log")]
    assert any("resumes after step" in log for log in logs)


def test_exactly_the_planned_trials_each_with_its_own_values(story: Story) -> None:
    table = story.folder.read_trials()
    assert list(table["number"]) == list(range(TRIALS))
    assert len(table.drop_duplicates(["sampling.near", "optimisation.learning_rate"])) == TRIALS
    assert set(table["state"]) <= {"completed", "collapsed"}


def test_each_trial_equals_its_training_without_a_driver_bit_for_bit(
    story: Story, scene_file: Path
) -> None:
    spec = StudySpec.from_json(story.folder.read_spec())
    scene = load(str(scene_file))
    measured = ["state", "reason", "steps_done", "psnr", "ssim", "test_psnr", "test_ssim"]
    for number in range(TRIALS):
        values = explore_point(spec.space, spec.seed, number, spec.nets)
        seed = trial_seed(spec.seed, number)
        result = train(spec.space.config(values, seed), scene)
        recorded = record(story.folder, trial_id(number))
        trial = pd.Series(recorded["trial"], dtype=object)
        expected = {"phase": "explore", "seed": seed, **values}
        expected |= {name: getattr(result, name) for name in measured}
        pd.testing.assert_series_equal(
            trial[list(expected)], pd.Series(expected, dtype=object), check_exact=True
        )
        pd.testing.assert_frame_equal(
            pd.DataFrame(recorded["curve"]).drop(columns=["seconds", "memory"]),
            pd.DataFrame([point.to_point() for point in result.curve]).drop(columns="seconds"),
            check_exact=True,
        )


def test_a_second_driver_is_refused_by_pid_and_host(story: Story) -> None:
    status, output = story.second
    assert status == 2
    (line,) = (text for text in output.splitlines() if text.startswith("error"))
    assert f"process {story.holder} on " in line
