"""How many trials fit on a node of a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from study.driver.capacity import trials_on
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
