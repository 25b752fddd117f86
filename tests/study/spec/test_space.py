"""The search space: ranges, the unit cube, and how it follows the scene."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nerf.common.errors import InputError
from nerf.config.flat import flatten
from nerf.config.parameters import list_parameters
from study.spec.default_space import make_space
from study.spec.parse_space import parse_dimension, parse_space
from study.spec.space import Dimension, Space
from study.spec.widened_ranges import describe_widened
from tests.study.spec.conditions import meet

DIMENSIONS = [
    Dimension("a", "float", 2.0, 6.0),
    Dimension("b", "float", 1e-4, 1e-2, log=True),
    Dimension("c", "int", 0, 15),
    Dimension("d", "int", 16, 256, log=True),
    Dimension("e", "choice", choices=("relu", "sine", "gelu")),
]


@pytest.mark.parametrize("dimension", DIMENSIONS, ids=lambda d: d.path)
@given(u=st.floats(0, 1, exclude_max=True))
def test_from_unit_inverts_to_unit(dimension: Dimension, u: float) -> None:
    value = dimension.from_unit(u)
    again = dimension.to_unit(value)
    assert 0 <= again <= 1
    assert dimension.from_unit(min(again, 1 - 1e-12)) == pytest.approx(value)


def test_integers_are_equally_likely_ends_included() -> None:
    dimension = Dimension("c", "int", 0, 3)
    drawn = [dimension.from_unit((k + 0.5) / 400) for k in range(400)]
    assert {value: drawn.count(value) for value in range(4)} == dict.fromkeys(range(4), 100)


@pytest.mark.parametrize("bounds", [(2.8, 5.5), (25.3, 82.4), (0.4, 12.0), (0.02, 0.05)])
def test_the_wide_space_of_a_scene_contains_its_bounds_and_wrong_ones(
    bounds: tuple[float, float],
) -> None:
    near, far = bounds
    space = make_space("wide", {}).with_scene_bounds(bounds)
    sampling = space.config(space.defaults()).sampling
    assert (sampling.near, sampling.far) == (pytest.approx(near), pytest.approx(far))
    nears = {d.path: (d.low, d.high) for d in space.dimensions}["sampling.near"]
    spans = {d.path: (d.low, d.high) for d in space.dimensions}["sampling.span"]
    assert nears[0] + spans[0] < near or nears[0] < near  # begins well before the object
    assert near < nears[1] < far  # cuts it
    assert nears[0] + spans[0] < far < nears[1] + spans[1]  # ends too early, and beyond it
    assert Space.from_json(json.loads(json.dumps(space.to_json()))) == space


@pytest.mark.parametrize("bounds", [(2.8, 5.5), (25.3, 82.4), (0.4, 12.0), (0.02, 0.05)])
def test_the_quick_space_of_a_scene_contains_its_bounds_and_some_that_cut_the_object(
    bounds: tuple[float, float],
) -> None:
    space = make_space("quick", {}).with_scene_bounds(bounds)
    assert space.outside({d.path: space.defaults()[d.path] for d in space.dimensions[:2]}) == ()
    nears, fars = space.dimensions[:2]
    assert nears.low < bounds[0] < nears.high < fars.low < bounds[1] < fars.high
    assert Space.from_json(json.loads(json.dumps(space.to_json()))) == space


def test_the_default_may_lie_outside_the_space() -> None:
    space = parse_space(["field.width=16,32", "optimisation.views=5:40", "field.depth=2:6"], {})
    assert space.defaults() == {"field.width": 128, "optimisation.views": 0, "field.depth": 4}
    assert space.outside(space.defaults()) == ("field.width", "optimisation.views")
    assert space.config(space.defaults()).field.width == 128
    nearest = {"field.width": 16, "optimisation.views": 40, "field.depth": 4}
    assert space.nearest_defaults() == nearest
    assert space.outside(nearest) == ()


def test_where_the_study_rules_out_the_default_the_nearest_value_stands_for_it() -> None:
    space = parse_space(["sampling.near=0.2:0.8"], {"sampling.far": 1.0})
    assert space.with_scene_bounds((2.8, 5.5)).defaults() == {"sampling.near": 0.8}


def test_a_range_given_by_the_user_does_not_change() -> None:
    space = parse_space(["sampling.near=10:20", "sampling.span=5:9"], {}).with_scene_bounds(
        (12.0, 18.0)
    )
    assert [(d.low, d.high) for d in space.dimensions] == [(10, 20), (5, 9)]


@pytest.mark.parametrize(
    "path",
    [
        p.path
        for p in list_parameters().values()
        if (p.domain or p.choices) and p.path != "optimisation.steps"
    ],
)
def test_every_parameter_can_be_varied_over_its_declared_domain(path: str) -> None:
    space = parse_space([path], meet(path)).with_scene_bounds((2.8, 5.5))
    for u in (0.0, 0.5, 0.999):
        config = space.config(space.point([u]))
        assert flatten(config)[path] == pytest.approx(space.point([u])[path])


def test_a_range_beyond_the_declared_one_is_accepted_and_named() -> None:
    varied = ["optimisation.learning_rate=1e-4:1e-1", "field.depth=3:5", "field.width=8,64"]
    views = "optimisation.views=0,25"  # 0, the default, is all of them
    space = parse_space([*varied, views, "sampling.near=0.1:5.5"], {}).with_scene_bounds((2.8, 7.0))
    rate = space.dimensions[0]
    assert (rate.low, rate.high, rate.log) == (1e-4, 1e-1, True)
    assert describe_widened(space) == [
        "optimisation.learning_rate in 0.0001:0.1 (log) goes beyond the range that it is tested "
        "over, 0.0001:0.02 (log)",
        "field.width in 8, 64 goes beyond the range that it is tested over, 16:256 (log) units",
    ]


@pytest.mark.parametrize(
    ("varied", "words"),
    [
        (["sampling.near=5:2"], "low < high"),
        (["sampling.near=-1:2"], "0 or more"),
        (["field.width=1:64"], "field.width must be at least 2 units, got 1"),
        (["field.depth=0:4"], "field.depth must be at least 1 layer, got 0"),
        (["encoding.position_frequencies=0:60"], "must lie in 0..24, got 60"),
        (["optimisation.decay=0.1:2"], r"must lie in \(0, 1\], got 2"),
        (["optimisation.gradient_clip=0:inf"], "a range needs finite ends"),
        (["optimisation.gradient_clip=nan:1"], "low < high"),
        (["field.width=a"], "whole number"),
        (["field.width", "field.width=16:32"], "twice"),
        (["sampling.far", "sampling.span"], "not both"),
        (["field.depth", "field.skip"], "skip < depth"),
        (["seed=1,2"], "seed"),
        (["field.hidden_activation=relu"], "two or more"),
        (["field.hidden_activation=relu:sine"], "takes no range"),
        (["field.width=16:64:lin"], "'lin' must be log, linear or step=S"),
        (["sampling.near=0:2:log"], "a logarithmic range needs low > 0"),
        (["field.depth=2:8:step=1.5"], "step must be a whole number above 0 and at most 6"),
        (["sampling.near=0.5:2:step=0"], "step must be a number above 0 and at most 1.5, got 0"),
        (["sampling.near=0.5:2:step=x"], "step must be a number, got 'x'"),
        (["sampling.near=0.5:2:step=0.4"], "ends between two steps of 0.4; end it at 1.7"),
        (["field.width=16*0.9,32"], "gives some probabilities only; give all or none"),
        (["field.width=16*0.9,32*0.2"], "must be positive and sum to 1"),
        (["field.width=16*2,32*-1"], "must be positive and sum to 1"),
        (["field.width=16*a,32*b"], "a probability must be a number, got 'a'"),
    ],
)
def test_mistakes_are_named(varied: list[str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_space(varied, {}).with_scene_bounds((2.8, 5.5))


def test_a_set_parameter_does_not_vary() -> None:
    space = make_space("wide", {"sampling.far": 7.0, "field.width": 32})
    assert not {"sampling.span", "field.width"} & {d.path for d in space.dimensions}
    with pytest.raises(InputError, match="both varied and set"):
        parse_space(["field.width"], {"field.width": 32})


def test_a_list_of_numbers_is_a_choice() -> None:
    assert parse_dimension("field.width=16,64").choices == (16, 64)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("field.width=16:64", {"log": True}),
        ("field.width=16:64:linear", {"log": False}),
        ("field.width=16:64:step=16", {"log": True, "step": 16.0}),
        ("field.width=16:64:linear:step=16", {"log": False, "step": 16.0}),
        ("field.depth=2:8:step=1", {"step": 0.0}),
        ("sampling.near=0.5:3:log", {"log": True}),
        ("sampling.near=1:3:step=1", {"step": 1.0}),
        ("sampling.near=0.05:0.4:step=0.05", {"step": 0.05, "levels": 8}),
        ("field.width=16*0.9,32*0.1", {"choices": (16, 32), "weights": (0.9, 0.1)}),
        ("field.width=16*0.5,32*0.5", {"choices": (16, 32), "weights": ()}),
        ("field.width=16*.333,32*.333,64*.334", {"weights": (0.333, 0.333, 0.334)}),
    ],
)
def test_scale_step_and_probabilities_are_parsed(text: str, expected: dict[str, object]) -> None:
    dimension = parse_dimension(text)
    assert {name: getattr(dimension, name) for name in expected} == expected


def test_the_nearest_default_is_a_level() -> None:
    space = parse_space(["field.depth=3:7:step=2"], {})
    assert space.outside(space.defaults()) == ("field.depth",)
    assert space.nearest_defaults() == {"field.depth": 5}


def test_a_study_keeps_the_defaults_it_was_created_with() -> None:
    """A later version may have others; neither its trials nor its report may then change."""
    space = parse_space(["optimisation.learning_rate"], {})
    saved = space.to_json()
    saved["usual"] |= {"field.depth": 7, "optimisation.learning_rate": 0.002}
    earlier = Space.from_json(json.loads(json.dumps(saved)))
    assert earlier.defaults() == {"optimisation.learning_rate": 0.002}
    assert earlier.config({"optimisation.learning_rate": 0.01}).field.depth == 7
    assert Space.from_json(json.loads(json.dumps(space.to_json()))) == space
