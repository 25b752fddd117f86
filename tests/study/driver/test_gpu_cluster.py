"""GPUs that torch does not see, GPUs that break, and which GPU each trial gets."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.study.driver.ray_nodes import require_namespaces, run_alone
from tests.study.sweeps import TINY

pytestmark = pytest.mark.slow

TRIALS = 6


@dataclass(frozen=True)
class Launch:
    status: int
    output: str
    ended: list[str]
    """The trials with a record, after it."""
    attempts: list[tuple[str, str, str]]
    """Trial, GPU and process."""

    @property
    def error(self) -> str:
        return self.output.splitlines()[-1]


@pytest.fixture(scope="module")
def story(scene_file: Path) -> dict[str, Launch]:
    require_namespaces()
    new = [f"--explore={TRIALS}", "--optimize=0", "--replicates=0", "--steps=60", *TINY]
    with run_alone("gpu_cluster", "--scene", scene_file, *new) as (_, output):
        return {name: Launch(**launch) for name, launch in json.loads(output).items()}


def test_gpus_that_torch_does_not_see_are_named_before_anything_is_created(
    story: dict[str, Launch],
) -> None:
    launch = story["without CUDA"]
    assert launch.status == 2
    assert launch.error.startswith("error: trials cannot use the GPUs of 127.0.0.3: torch ")
    assert ", but no GPU: " in launch.error
    assert "leave out --gpus-per-trial" in launch.error


def test_what_torch_sees_of_each_node_is_said(story: dict[str, Launch]) -> None:
    seen = "127.0.0.3: torch "
    gpus = ", ".join(["a fake GPU (3.0 of 4.0 GiB free)"] * 2)
    (line,) = (line for line in story["broken"].output.splitlines() if line.startswith(seen))
    assert line.endswith(gpus)


def test_a_broken_gpu_stops_the_launch_and_costs_no_trial(story: dict[str, Launch]) -> None:
    launch = story["broken"]
    assert launch.status == 2, launch.output
    pattern = (
        r"error: stopped: 3 trials in a row failed on node3, GPU [01] before their first "
        r"evaluation \(RuntimeError: CUDA error: an illegal memory access was encountered\), and "
        r"are still to be run \(tracebacks: .*/errors\); fix that, then resume with: .* --resume"
    )
    assert re.fullmatch(pattern, launch.error)
    assert not launch.ended


def test_no_process_uses_a_gpu_after_it_failed(story: dict[str, Launch]) -> None:
    processes = [process for _, _, process in story["broken"].attempts]
    assert len(processes) >= 3
    assert len(set(processes)) == len(processes)


def test_the_next_launch_runs_each_trial_once_in_three_processes(story: dict[str, Launch]) -> None:
    launch = story["repaired"]
    assert launch.status == 0, launch.output
    assert len(launch.ended) == TRIALS
    assert sorted(trial for trial, _, _ in launch.attempts) == launch.ended
    assert len({process for _, _, process in launch.attempts}) == 3


def test_each_trial_gets_one_gpu_that_at_most_two_share(story: dict[str, Launch]) -> None:
    launch = story["repaired"]
    gpu_of_process = {process: gpu for _, gpu, process in launch.attempts}
    assert Counter(gpu_of_process.values()) in ({"0": 2, "1": 1}, {"0": 1, "1": 2})
