"""Trials packed on two GPUs that torch pretends to see: killed one by one, all at once, resumed.

What they become must be what each becomes when it trains alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest

from nerf.scenes import load
from nerf.scenes.scene import Scene
from nerf.training.loop import train
from nerf.training.run import TrainResult
from study.driver.packing import best_size, settle_pack
from study.driver.resources import trial_resources
from study.ledger.ledger import Ledger
from study.protocol.messages import Assignment
from study.records.provenance import study_document
from study.records.schema import trial_id
from study.records.study_folder import StudyFolder
from study.spec.study_space import study_space
from study.spec.study_spec import StudySpec
from study.worker.batch_speed import Speed, measure_speeds
from tests.study.sweeps import end_of, hooks, kill_all, start, wait_for, wait_until_gone
from tests.study.trials import record
from tests.study.worker.test_batch_runs import tiny

pytestmark = pytest.mark.slow

TRIALS, STEPS, RUNG = 8, 60, 12
VARIED = [
    "sampling.near",
    "field.width=16,32,96",
    "field.density_activation",
    "optimisation.learning_rate=1e-4:2e-2",
]
SETTINGS = [
    "optimisation.rays=64",
    "sampling.coarse=8",
    "evaluation.pixels=256",
    "evaluation.final_pixels=256",
    "field.depth=2",
    "compute.precision=fp32",
]


@dataclass(frozen=True)
class Batch:
    """One process that trained a batch."""

    gpu: str
    process: int


@dataclass(frozen=True)
class Story:
    folder: StudyFolder
    spec: StudySpec
    assignments: list[Assignment]
    batches: list[list[Batch]]
    """Those that each launch had."""
    survivors: list[psutil.Process]
    """Batches that outlived the driver by half a minute."""
    with_torch: set[int]
    """Processes that have imported torch, of five trials and two batches."""
    last: tuple[int, str]


def prepare(folder: StudyFolder, scene: Scene) -> tuple[StudySpec, list[Assignment]]:
    """A study whose trials are all created already, so that what ends first does not matter.

    With this seed, three trials are pruned at the first rung by those that explore, in any order.
    """
    space = study_space(VARIED, SETTINGS, STEPS)
    space = space.with_scene_bounds((round(scene.bounds.near, 3), round(scene.bounds.far, 3)))
    spec = StudySpec(
        space=space,
        scene=scene.source,
        explore=4,
        optimize=4,
        replicates=0,
        steps=STEPS,
        seed=0,
        gpus_per_trial=1,
        pack=4,
        max_concurrent=5,
        retries=3,
    )
    folder.create(study_document(folder.name, spec, {"": scene}, []))
    ledger = Ledger(folder, spec)
    assignments = [ledger.ask() for _ in range(TRIALS)]
    ledger.close()
    return spec, [assignment for assignment in assignments if assignment]


class Launch:
    """A driver, and what its trials have written."""

    def __init__(self, folder: StudyFolder, *options: str, seconds_a_step: float) -> None:
        self._folder = folder
        self._gpus = folder.path.parent / "gpus"
        self._gpus.write_text("")
        place = ["--studies", str(folder.path.parent), "--name", folder.name]
        settings = {"SECONDS_A_STEP": str(seconds_a_step), "FAKE_GPUS": str(self._gpus)}
        environment = hooks(**settings)
        self.driver = start(
            *place, "--resume", *options, cwd=folder.path.parent, environment=environment
        )

    def wait_until_all_log(self, text: str, numbers: range) -> None:
        wait_for(self.driver, lambda: all(text in self.log(number) for number in numbers))

    def log(self, number: int) -> str:
        """The log of a trial's latest attempt."""
        log = self._folder.log(trial_id(number))
        return log.read_text().rpartition("=== attempt")[2] if log.exists() else ""

    def process(self, number: int) -> psutil.Process:
        return psutil.Process(int(self.log(number).splitlines()[0].rpartition(" ")[2]))

    def batches(self) -> list[Batch]:
        lines = [line.split() for line in self._gpus.read_text().splitlines()]
        return [Batch(gpu, int(process)) for name, gpu, process in lines if name == "batch"]


@pytest.fixture(scope="module")
def story(scene_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = StudyFolder(tmp_path_factory.mktemp("packing") / "packed")
    spec, assignments = prepare(folder, load(str(scene_file)))
    launch = Launch(folder, seconds_a_step=0.2)
    launch.wait_until_all_log(f"step {RUNG}:", range(5))
    batches = {batch.gpu: batch.process for batch in launch.batches()}
    processes = [*batches.values(), *(launch.process(number).pid for number in range(5))]
    with_torch = {process for process in processes if "libtorch" in maps(process)}
    launch.process(2).kill()
    psutil.Process(batches["0"]).kill()
    wait_for(launch.driver, lambda: len(launch.batches()) > 2)
    first = launch.batches()
    family = psutil.Process(launch.driver.pid).children(recursive=True)
    launch.driver.kill()
    launch.driver.communicate()
    ours = {batch.process for batch in first}
    survivors = wait_until_gone([member for member in family if member.pid in ours])
    kill_all(family)  # Ray's own agents stay
    launch = Launch(folder, "--pack=auto", seconds_a_step=0)
    last = end_of(launch.driver)
    both = [first, launch.batches()]
    return Story(folder, spec, assignments, both, survivors, with_torch, last)


def maps(process: int) -> str:
    """The files that a process has in its memory."""
    return " ".join(each.path for each in psutil.Process(process).memory_maps())


@pytest.fixture(scope="module")
def alone(story: Story, scene_file: Path) -> dict[int, TrainResult]:
    """What the trials become without Ray, by number."""
    scene, space = load(str(scene_file)), story.spec.space
    return {a.number: train(space.config(a.values, a.seed), scene) for a in story.assignments}


def rows(story: Story) -> Iterator[tuple[int, dict[str, Any]]]:
    for number in range(TRIALS):
        yield number, record(story.folder, trial_id(number))


def test_the_second_launch_ends_the_study(story: Story) -> None:
    status, output = story.last
    assert status == 0, output
    assert f"{TRIALS}/{TRIALS} trials" in output


def test_it_resumes_with_another_number_of_trials_which_it_has_measured(story: Story) -> None:
    _, output = story.last
    assert "--pack auto: 2 trials on a GPU: " in output
    assert "--pack auto: 2, the fastest for the study's default configuration" in output
    assert story.folder.read_spec()["spec"]["pack"] == 4  # as it was created


def test_every_trial_becomes_what_it_would_have_become_alone(
    story: Story, alone: dict[int, TrainResult]
) -> None:
    for number, recorded in rows(story):
        row, result = recorded["trial"], alone[number]
        curve = pd.DataFrame(recorded["curve"]).drop(columns="seconds")
        expected = pd.DataFrame([p.to_point() for p in result.curve]).drop(columns="seconds")
        if row["state"] == "pruned":
            expected = expected.iloc[: len(curve)]
        else:
            assert (row["state"], row["reason"]) == (result.state, result.reason)
            measured = [row[name] for name in ("psnr", "ssim", "test_psnr", "test_ssim")]
            wanted = [result.psnr, result.ssim, result.test_psnr, result.test_ssim]
            assert measured == pytest.approx(wanted, abs=1e-4)
        pd.testing.assert_frame_equal(curve, expected, check_exact=False, rtol=0, atol=1e-4)


def test_trials_are_pruned_as_alone(story: Story) -> None:
    pruned = {
        number: recorded["trial"]["reason"]
        for number, recorded in rows(story)
        if recorded["trial"]["state"] == "pruned"
    }
    reason = f"stopped by successive halving at step {RUNG}"
    assert pruned == dict.fromkeys((5, 6, 7), reason)


def test_each_gpu_has_one_batch_at_a_time(story: Story) -> None:
    first, second = story.batches
    assert sorted(batch.gpu for batch in first) == ["0", "0", "1"]  # one was killed
    assert len({batch.process for batch in first}) == 3
    assert sorted(batch.gpu for batch in second) in (["0"], ["0", "1"])


def test_a_killed_trial_costs_no_other_one(story: Story) -> None:
    assert "attempt 1: its process died" in story.folder.error(trial_id(2)).read_text()
    assert "resumes after step" in story.folder.log(trial_id(2)).read_text()


def test_the_trials_of_a_killed_batch_are_retried(story: Story) -> None:
    errors = [story.folder.error(trial_id(number)) for number in range(TRIALS)]
    died = [e for e in errors if e.exists() and "the process of its batch died" in e.read_text()]
    assert 1 <= len(died) <= 4


def test_no_batch_outlives_a_driver_that_is_killed(story: Story) -> None:
    assert not story.survivors


def test_only_the_batch_imports_torch(story: Story) -> None:
    first, _ = story.batches
    assert len(story.with_torch) == 2
    assert story.with_torch <= {batch.process for batch in first}


def test_without_a_gpu_nothing_is_packed_unless_a_number_is_given(ball: Scene) -> None:
    notes: list[str] = []
    spec = StudySpec(space=study_space(VARIED, SETTINGS, STEPS))
    for pack, chosen in ((0, 1), (1, 1), (4, 4)):
        assert settle_pack(replace(spec, pack=pack), ball, notes.append).pack == chosen
    assert notes == [
        "--pack auto: 1, as no trial uses a GPU (--gpus-per-trial is 0)",
        "--pack 4: 4 trials share 1 CPU; it is faster on GPUs only",
    ]


@pytest.mark.parametrize("trials", [1, 3, 6, 7, 32])
def test_the_shares_of_packed_trials_fit_on_one_gpu(trials: int) -> None:
    spec = StudySpec(space=study_space(VARIED, SETTINGS, STEPS), gpus_per_trial=1, pack=trials)
    share = trial_resources(spec)["GPU"]
    assert trials * round(share * 1e4) <= 10_000 < (trials + 1) * round(share * 1e4)


def test_what_is_measured_is_the_speed_of_all_trials_together(ball: Scene) -> None:
    speeds = list(measure_speeds(tiny(0), ball, (1, 4), "cpu", seconds=0.05))
    assert [speed.size for speed in speeds] == [1, 4]
    assert all(speed.steps_per_second > 0 for speed in speeds)


def test_the_fastest_size_is_taken_but_not_for_a_trifle() -> None:
    speeds = [Speed(1, 100.0), Speed(4, 300.0), Speed(8, 310.0), Speed(16, problem="no memory")]
    assert best_size(speeds) == 4
    assert best_size(speeds[3:]) == 1
