"""How many trials fit on a node of a cluster, and requests for nodes that lack."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import ray
from ray.util.placement_group import (
    placement_group,
    placement_group_table,
    remove_placement_group,
)

from study.driver import capacity
from study.driver.capacity import ClusterCapacity, trials_on
from study.driver.gpu_check import GpuChecks
from study.spec.study_space import study_space
from study.spec.study_spec import StudySpec


@pytest.mark.parametrize(
    ("fields", "resources", "trials"),
    [
        ({}, {"CPU": 12.0}, 12),
        ({}, {}, 0),
        ({"cpus_per_trial": 5}, {"CPU": 12.0}, 2),
        ({"cpus_per_trial": 5}, {"CPU": 4.0}, 0),
        ({"gpus_per_trial": 0.25}, {"CPU": 64.0, "GPU": 4.0}, 16),
        ({"gpus_per_trial": 0.25}, {"CPU": 6.0, "GPU": 4.0}, 6),
        ({"gpus_per_trial": 1}, {"CPU": 8.0}, 0),
    ],
)
def test_as_many_trials_as_fit_on_a_node(
    fields: dict[str, Any], resources: dict[str, float], trials: int
) -> None:
    spec = StudySpec(space=study_space([], [], 100), **fields)
    assert trials_on({"Resources": resources}, spec) == trials


@pytest.fixture
def cluster() -> Iterator[None]:
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def count_groups(state: str) -> int:
    """Placement groups in that state, of trials and of requests."""
    return sum(group["state"] == state for group in placement_group_table().values())


@pytest.mark.usefixtures("cluster")
def test_requests_leave_what_is_free_to_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray tries a waiting trial once a second: requests made again at once would always win."""
    monkeypatch.setattr(capacity, "_UPDATE_SECONDS", 0.0)
    room = ClusterCapacity(StudySpec(space=study_space([], [], 100)), GpuChecks())
    trials = [placement_group([{"CPU": 1}]) for _ in range(2)]
    wait_until(lambda: count_groups("CREATED") == 2)
    room.update(lambda: 6, running=2)  # two train, four requests wait
    wait_until(lambda: count_groups("PENDING") == 4)
    remove_placement_group(trials.pop())
    free_for = 0

    def update() -> bool:
        nonlocal free_for
        free_for = free_for + 1 if count_groups("CREATED") == 1 else 0
        room.update(lambda: 5, running=1)
        return free_for == 5

    wait_until(update)
    room.close()
    wait_until(lambda: count_groups("PENDING") == 0)


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.5)
