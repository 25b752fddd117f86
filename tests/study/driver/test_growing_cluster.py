"""Studies that are launched before their cluster has a CPU: nodes join, are started, are lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from study.records.study_folder import StudyFolder
from tests.study.driver.ray_nodes import Story, require_namespaces, run_alone
from tests.study.sweeps import TINY

pytestmark = pytest.mark.slow

TRIALS, STEPS, TIMES = 4, 60, 3


@pytest.fixture(scope="module")
def story(scene_file: Path) -> Iterator[Story]:
    require_namespaces()
    new = [f"--explore={TRIALS}", "--optimize=0", "--replicates=0", f"--steps={STEPS}"]
    options = ["--scene", scene_file, *new, *TINY, f"--set=evaluation.times={TIMES}"]
    with run_alone("growing_cluster", *options) as (root, output):
        yield Story(StudyFolder(root / "studies" / "grown"), **json.loads(output))


def test_every_trial_ends_once(story: Story) -> None:
    assert story.status == 0, story.output
    table = story.folder.read_trials()
    assert list(table["number"]) == list(range(TRIALS))
    assert set(table["state"]) == {"completed"}
    attempts = [story.folder.log(name).read_text().count("=== attempt") for name in table.trial_id]
    assert attempts == [2, 1, 1, 1]


def test_it_says_what_it_waits_for_and_how_many_trials_fit(story: Story) -> None:
    expected = [
        "waiting for 1 CPU: the cluster has 0 CPUs",
        "the cluster has 1 CPU: room for 1 trial at a time",
        "the cluster has 2 CPUs: room for 2 trials at a time",
        "the cluster has 1 CPU: room for 1 trial at a time",
        "trial 0 failed and will be retried: its node was lost",
    ]
    places = [story.output.find(text) for text in expected]
    assert -1 not in places, story.output


def test_a_lost_node_costs_no_more_than_one_evaluation(story: Story) -> None:
    first, second = story.folder.log("00000").read_text().split("=== attempt ")[1:]
    assert "on node3," in first
    assert "on node4," in second
    assert "resumes after step 40" in second


def test_ray_s_autoscaler_starts_nodes_for_a_study(scene_file: Path) -> None:
    """Up to as many as it may, one for each trial that waits."""
    require_namespaces()
    new = ["--explore=3", "--optimize=0", "--replicates=0", "--steps=60", *TINY]
    with run_alone("autoscaled_cluster", "--scene", scene_file, *new) as (_, output):
        end = json.loads(output)
    assert end["status"] == 0, end["output"]
    assert "waiting for 1 CPU: the cluster has 0 CPUs" in end["output"]
    assert "the cluster has 2 CPUs: room for 2 trials at a time" in end["output"]
