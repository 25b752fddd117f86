"""`StudySpec`: validation, JSON, and the options that a saved study accepts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nerf.common.errors import InputError
from study.spec.existing_study import require_same_study
from study.spec.study_space import study_space
from study.spec.study_spec import StudySpec

SPACE = study_space([], [], 100)


def test_json_and_back() -> None:
    spec = StudySpec(space=study_space(["field.width=32:64"], ["field.depth=6"], 50), steps=50)
    document = {"spec": spec.to_json(), "space": spec.space.to_json()}
    assert StudySpec.from_json(json.loads(json.dumps(document))) == spec
    assert "pack" not in document["spec"]  # earlier versions read it, too


def test_a_study_keeps_its_packing() -> None:
    spec = StudySpec(space=SPACE, gpus_per_trial=1, pack=8)
    document = {"spec": spec.to_json(), "space": spec.space.to_json()}
    assert StudySpec.from_json(json.loads(json.dumps(document))).pack == 8


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"explore": -1}, "--explore"),
        ({"explore": 0, "optimize": 0}, "at least one trial"),
        ({"steps": 0}, "--steps"),
        ({"cpus_per_trial": 0}, "--cpus-per-trial"),
        ({"gpus_per_trial": -0.5}, "--gpus-per-trial"),
        ({"wandb": "of"}, "did you mean off"),
    ],
)
def test_invalid_values_are_refused(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=named):
        StudySpec(space=SPACE, **wrong)


@pytest.mark.parametrize("setting", ["optimisation.steps=5", "seed=1"])
def test_a_parameter_with_its_own_option_cannot_be_set(setting: str) -> None:
    with pytest.raises(InputError, match="has its own option"):
        study_space([], [setting], 100)


def test_a_varied_parameter_takes_no_default_setting() -> None:
    space = study_space(["optimisation.rays=64:128"], [], 100)
    assert "optimisation.rays" not in dict(space.fixed)


def test_resuming_may_change_the_launch_but_not_the_study() -> None:
    saved = StudySpec(space=SPACE, scene="bricks", steps=100)
    require_same_study({"max_concurrent": 1, "explore": 48}, saved)
    with pytest.raises(InputError, match=r"--explore 99 differs from the study's 48"):
        require_same_study({"explore": 99}, saved)
