"""Grid designs: every combination once, in W&B's order, and no more."""

from __future__ import annotations

import itertools

import pytest

from nerf.common.errors import InputError
from study.search.explore_design import explore_values
from study.search.grid_design import grid_point
from study.spec.existing_study import require_same_study, with_more_trials
from study.spec.parse_space import parse_space
from study.spec.study_space import study_space
from study.spec.study_spec import StudySpec

VARIED = [
    "field.density_activation=relu,softplus",
    "field.depth=2:4",
    "sampling.near=0.5:1.5:step=0.5",
]


def grid(varied: list[str], explore: int, **fields: int) -> StudySpec:
    space = study_space(varied, [], 90)
    return StudySpec(space=space, design="grid", explore=explore, nets=1, **fields)


def test_a_grid_has_every_combination_once_and_the_last_parameter_changes_fastest() -> None:
    space = parse_space(VARIED, {})
    cells = itertools.product(["relu", "softplus"], [2, 3, 4], [0.5, 1.0, 1.5])
    assert space.grid_size == 18
    points = [tuple(grid_point(space, index).values()) for index in range(18)]
    assert points == list(cells)


def test_a_study_of_a_grid_explores_its_cells() -> None:
    spec = grid(VARIED, 18)
    assert [explore_values(spec, index) for index in (0, 17)] == [
        {"field.density_activation": "relu", "field.depth": 2, "sampling.near": 0.5},
        {"field.density_activation": "softplus", "field.depth": 4, "sampling.near": 1.5},
    ]


def test_a_grid_is_read_as_it_was_written_and_other_designs_are_not_named() -> None:
    spec = grid(VARIED, 18)
    document = {"space": spec.space.to_json(), "spec": spec.to_json()}
    assert document["spec"]["design"] == "grid"
    assert StudySpec.from_json(document) == spec
    assert "design" not in StudySpec(space=spec.space).to_json()


@pytest.mark.parametrize(
    ("varied", "explore", "message"),
    [
        (["sampling.near=0.5:3"], 4, "sampling.near takes any number; list its values, or write"),
        (["field.width=32*0.9,64*0.1"], 2, "remove the probabilities of field.width"),
        (["field.width=32,64"], 3, "--explore 3 is more than the 2 cells of the grid"),
    ],
)
def test_what_has_no_grid_is_refused(varied: list[str], explore: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        grid(varied, explore)


def test_a_cut_grid_can_be_extended_up_to_its_last_cell() -> None:
    spec = grid(VARIED, 4)
    assert with_more_trials(spec, 14).explore == 18
    with pytest.raises(InputError, match="--extend 15 is more than the 14 cells of the grid that"):
        with_more_trials(spec, 15)
    assert with_more_trials(grid(VARIED, 18), 0, 2).replicates == spec.replicates + 2


def test_a_grid_stays_a_grid() -> None:
    spec = grid(VARIED, 4)
    with pytest.raises(InputError, match="--design sobol differs from the study's grid"):
        require_same_study({"design": "sobol"}, spec)
