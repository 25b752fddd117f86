"""A study across real nodes that share no study folder, one of which is lost in the middle."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from study.records.study_folder import StudyFolder
from tests.study.driver.ray_nodes import Story, require_namespaces, run_alone
from tests.study.sweeps import TINY

pytestmark = pytest.mark.slow

TRIALS, STEPS, TIMES = 3, 60, 3


@dataclass(frozen=True)
class LostNode(Story):
    killed: str
    """The name of the node that was lost, while it trained trial 0."""
    interfaces: list[str]


@pytest.fixture(scope="module")
def story(scene_file: Path) -> Iterator[LostNode]:
    require_namespaces()
    new = [f"--explore={TRIALS}", "--optimize=0", "--replicates=0", f"--steps={STEPS}"]
    often = [*TINY, f"--set=evaluation.times={TIMES}"]
    with run_alone("three_nodes", scene_file, *new, *often) as (root, output):
        yield LostNode(StudyFolder(root / "studies" / "far"), **json.loads(output))


def test_every_trial_ends_as_it_should(story: LostNode) -> None:
    assert story.status == 0, story.output
    table = story.folder.read_trials()
    assert list(table["number"]) == list(range(TRIALS))
    assert set(table["state"]) <= {"completed", "collapsed"}
    for name in table["trial_id"]:
        curve = story.folder.read_curves()
        steps = list(curve.loc[curve["trial_id"] == name, "step"])
        assert steps == [STEPS // TIMES * k for k in range(1, len(steps) + 1)]


def test_the_trial_of_a_lost_node_resumes_elsewhere_and_is_not_blamed(story: LostNode) -> None:
    (other,) = {"node3", "node4"} - {story.killed}
    first, second = story.folder.log("00000").read_text().split("=== attempt ")[1:]
    assert f"on {story.killed}," in first
    assert f"on {other}," in second
    assert "resumes after step" in second
    assert "trial 0 failed and will be retried: its node was lost" in story.output


def test_each_trial_records_its_node_and_device(story: LostNode) -> None:
    table = story.folder.read_trials().set_index("number")
    assert table.loc[0, "host"] in {"node3", "node4"} - {story.killed}
    assert set(table["host"]) <= {"node3", "node4"}
    assert table["device"].str.contains("CPU").all()


def test_what_trials_left_elsewhere_is_with_the_study(story: LostNode) -> None:
    for name in story.folder.read_trials()["trial_id"]:
        assert story.folder.render(name).exists()
        assert story.folder.log(name).exists()
    storage = story.folder.path.parents[1] / "storage" / "far"
    assert not list((storage / "checkpoints").iterdir())


def test_nothing_could_be_reached_from_outside(story: LostNode) -> None:
    assert story.interfaces == ["lo"]
