"""Parameters that act only under a condition: what is sampled, proposed, recorded and refused."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Literal

import optuna
import pytest

from nerf.common.errors import InputError
from nerf.config.condition import holds, parse_condition
from nerf.config.domain import Domain
from nerf.config.flat import Flat
from nerf.config.parameters import declared_parameters, list_parameters
from study.search.samplers import distribution, propose
from study.search.sobol_design import explore_point
from study.spec.parse_space import parse_space
from study.spec.space import Space
from study.spec.study_spec import StudySpec
from study.trainers import When
from tests.study.spec.conditions import meet

HASH = ["encoding.kind=frequency,hash", "encoding.hash_levels", "encoding.position_frequencies"]


@pytest.mark.parametrize(
    ("condition", "values", "expected"),
    [
        ("", {}, True),
        ("a.b == 'x'", {"a.b": "x"}, True),
        ("a.b == 'x'", {}, False),
        ("a.b != 'x' and c > 0", {"a.b": "y", "c": 1}, True),
        ("a.b != 'x' and c > 0", {"a.b": "y", "c": 0}, False),
        ("a in ('x', 'y')", {"a": "y"}, True),
        ("a not in ['x']", {"a": "x"}, False),
        ("a.on", {"a.on": True}, True),
        ("not a.on", {"a.on": True}, False),
    ],
)
def test_conditions_hold(condition: str, values: dict[str, object], expected: bool) -> None:
    assert holds(condition, values) == expected
    again = " and ".join(map(str, parse_condition(condition)))
    assert holds(again, values) == expected, "also as the text that a study keeps"


@pytest.mark.parametrize(
    "condition", ["a ==", "a == b", "f(a)", "a or b", "1 < a < 3", "a in 'xy'", "a == ('x',)"]
)
def test_other_expressions_are_no_conditions(condition: str) -> None:
    with pytest.raises(InputError, match="a condition must be like"):
        parse_condition(condition)


def test_what_does_not_act_has_no_value_and_its_default_in_the_table() -> None:
    space = parse_space(HASH, {})
    points = [explore_point(space, 0, index, 4) for index in range(64)]
    for point in points:
        own = {"hash": "encoding.hash_levels", "frequency": "encoding.position_frequencies"}
        assert set(point) == {"encoding.kind", own[str(point["encoding.kind"])]}
        complete = space.complete(point)
        if point["encoding.kind"] == "hash":
            assert complete["encoding.position_frequencies"] == 8
        else:
            assert complete["encoding.hash_levels"] == 8
    assert {point["encoding.kind"] for point in points} == {"frequency", "hash"}
    assert space.defaults() == {"encoding.kind": "frequency", "encoding.position_frequencies": 8}


def test_conditions_come_back_from_json_and_follow_what_decides_them() -> None:
    varied = [*HASH, "field.kind=network,voxels", "grid.cells"]
    space = parse_space(varied, {})
    assert Space.from_json(json.loads(json.dumps(space.to_json()))) == space
    by_path = {d.path: d.when for d in space.dimensions}
    assert by_path["encoding.kind"] == "field.kind == 'network'"
    assert by_path["encoding.hash_levels"] == "encoding.kind == 'hash' and field.kind == 'network'"
    voxels: Flat = {"field.kind": "voxels", "encoding.kind": "hash", "grid.cells": 40}
    assert space.acting(voxels) == {"field.kind": "voxels", "grid.cells": 40}


def test_a_fixed_value_decides_once() -> None:
    (levels,) = parse_space(["encoding.hash_levels"], {"encoding.kind": "hash"}).dimensions
    assert levels.when == ""
    with pytest.raises(InputError) as refused:
        parse_space(["encoding.hash_levels"], {})
    assert str(refused.value) == (
        "encoding.hash_levels acts only where encoding.kind == 'hash', and encoding.kind is "
        "frequency in this study; set or vary encoding.kind as well, or leave encoding.hash_levels "
        "out"
    )


def test_a_grid_has_each_cell_once() -> None:
    varied = ["encoding.kind=frequency,hash", "encoding.hash_levels=4,8", "field.width=16,32"]
    space = parse_space(varied, {})
    assert space.grid_size == 6
    cells = [tuple(cell.values()) for cell in space.branched_cells]
    assert cells == [
        ("frequency", 16), ("frequency", 32),
        ("hash", 4, 16), ("hash", 4, 32), ("hash", 8, 16), ("hash", 8, 32),
    ]  # fmt: skip


def test_tpe_proposes_what_acts_and_learns_within_branches() -> None:
    space = parse_space(HASH, {})
    study = optuna.create_study(direction="maximize")
    distributions = {d.path: distribution(d) for d in space.dimensions}
    for index in range(12):
        point = explore_point(space, 0, index, 4)
        # Hash is better throughout, and the more levels the better.
        value = float(point.get("encoding.hash_levels", -5))
        own = {path: distributions[path] for path in point}
        study.add_trial(optuna.trial.create_trial(params=point, distributions=own, value=value))
    levels = []
    for number in range(6):
        trial = study.ask()._get_latest_trial()
        values = propose(study, trial, space.missing({}), StudySpec(space), seed=number)
        assert space.acting(values) == values
        assert not space.missing(values)
        levels.append(float(values.get("encoding.hash_levels", 0)))
        study.tell(trial.number, float(values.get("encoding.hash_levels", -5)))
    assert sum(level > 8 for level in levels) >= 4


@dataclass(frozen=True)
class Config:
    optimiser: Literal["adam", "sgd"] = "adam"
    momentum: Annotated[float, Domain(0, 1, when="optimiser == 'sgd'")] = 0.9
    nesterov: Annotated[bool, When("optimiser == 'sgd' and momentum > 0")] = False


def test_a_trainer_s_dataclass_declares_conditions() -> None:
    parameters = declared_parameters(Config())
    assert parameters["momentum"].when == "optimiser == 'sgd'"
    assert parameters["nesterov"].when == "optimiser == 'sgd' and momentum > 0"


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("optimizer == 'sgd'", "names no parameter 'optimizer'; did you mean optimiser?"),
        ("optimiser == 'sdg'", "names 'sdg', and optimiser is one of adam, sgd"),
        ("optimiser = 'sgd'", "a condition must be like"),
    ],
)
def test_a_condition_on_nothing_is_refused(condition: str, message: str) -> None:
    @dataclass(frozen=True)
    class Wrong(Config):
        pass

    Wrong.__annotations__ = {"momentum": Annotated[float, Domain(0, 1, when=condition)]}
    with pytest.raises(InputError, match=message.replace("?", r"\?")):
        declared_parameters(Wrong())


def test_conditions_of_the_schema_can_be_met() -> None:
    for parameter in list_parameters().values():
        if parameter.when:
            parse_space([parameter.path], meet(parameter.path))
