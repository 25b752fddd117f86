"""Dimensions with a step and choices with weights: the unit interval, and what study.json holds."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.surrogate.unit_cube import make_axis
from study.search.samplers import distribution
from study.spec.dimension import Dimension

PLAIN = [
    Dimension("a", "float", 2.0, 6.0),
    Dimension("b", "float", 1e-4, 1e-2, log=True),
    Dimension("c", "int", 0, 15),
    Dimension("d", "int", 16, 256, log=True),
    Dimension("e", "choice", choices=("relu", "sine", "gelu")),
]


@st.composite
def stepped(draw: st.DrawFn) -> Dimension:
    """Ranges with 2 to 40 levels, some of which end between two levels."""
    integer = draw(st.booleans())
    step = draw(st.integers(1, 7) if integer else st.sampled_from([0.05, 0.3, 0.5, 2.5, 1e-4]))
    low = step * draw(st.integers(1, 9))
    high = low + step * (draw(st.integers(1, 39)) + draw(st.sampled_from([0.0, 0.5])))
    low, high = float(f"{low:.12g}"), float(int(high) if integer else f"{high:.12g}")  # as typed
    return Dimension("x", "int" if integer else "float", low, high, draw(st.booleans()), step=step)


@st.composite
def weighted(draw: st.DrawFn) -> Dimension:
    weights = draw(st.lists(st.floats(0.01, 1), min_size=2, max_size=6))
    choices = tuple(f"c{place}" for place in range(len(weights)))
    return Dimension("x", "choice", choices=choices, weights=tuple(weights))


def levels(dimension: Dimension) -> list[float | int | bool | str]:
    """All values, by counting."""
    if dimension.choices:
        return list(dimension.choices)
    counted = itertools.count()
    values = (dimension.low + k * dimension.step for k in counted)
    return list(itertools.takewhile(lambda v: v <= dimension.high + 1e-9 * dimension.step, values))


@given(stepped() | weighted())
def test_each_level_is_drawn_as_often_as_its_cell_is_wide(dimension: Dimension) -> None:
    values = levels(dimension)
    assert len(dimension.edges) == len(values) + 1
    assert (dimension.edges[0], dimension.edges[-1]) == (0, 1)
    assert list(dimension.edges) == sorted(dimension.edges)
    for value, (begin, end) in zip(values, itertools.pairwise(dimension.edges), strict=True):
        for part in (1e-6, 0.5, 1 - 1e-6):
            drawn = dimension.from_unit(begin + part * (end - begin))
            assert drawn == value if dimension.choices else drawn == pytest.approx(value)
        assert dimension.to_unit(drawn) == pytest.approx((begin + end) / 2)
        assert dimension.contains(drawn)
        assert dimension.nearest(drawn) == drawn


@given(stepped(), st.floats(0, 1))
def test_a_number_between_levels_is_not_contained_and_goes_to_the_nearest(
    dimension: Dimension, part: float
) -> None:
    number = dimension.low + part * (dimension.high - dimension.low)
    values = [float(value) for value in levels(dimension)]
    nearest = float(dimension.nearest(number))
    assert abs(nearest - number) <= min(abs(v - number) for v in values) + 1e-9
    is_level = any(math.isclose(v, number, abs_tol=1e-6 * dimension.step) for v in values)
    assert dimension.contains(number) == is_level


@given(stepped() | weighted())
def test_an_axis_has_the_levels_and_edges_of_its_dimension(dimension: Dimension) -> None:
    axis = make_axis(dimension)
    values = levels(dimension)
    assert len(axis.centres) == len(values)
    units = [dimension.to_unit(dimension.nearest(value)) for value in values]
    np.testing.assert_allclose(axis.centres, units)
    np.testing.assert_allclose(axis.snap(np.array(units)), units)
    _, chances = axis.grid(64)
    np.testing.assert_allclose(chances, np.diff(dimension.edges), atol=1e-12)


@given(stepped() | weighted() | st.sampled_from(PLAIN))
def test_a_dimension_is_read_as_it_was_written(dimension: Dimension) -> None:
    written = json.loads(json.dumps(dimension.to_json()))
    assert Dimension.from_json(written) == dimension
    assert ("step" in written, "weights" in written) == (
        bool(dimension.step), bool(dimension.weights)
    )  # fmt: skip


@given(stepped())
def test_optuna_draws_from_the_same_levels(dimension: Dimension) -> None:
    drawn_from = distribution(dimension)
    for value in levels(dimension):
        assert drawn_from._contains(drawn_from.to_internal_repr(dimension.nearest(value)))
    assert not drawn_from._contains(float(dimension.low - dimension.step))
    assert not drawn_from._contains(float(dimension.low + dimension.step * dimension.levels))


def test_ends_of_a_uniform_range_are_as_likely_as_other_levels() -> None:
    dimension = Dimension("near", "float", 0.5, 4.0, step=0.5)
    drawn = [dimension.from_unit((k + 0.5) / 800) for k in range(800)]
    assert {value: drawn.count(value) for value in set(drawn)} == dict.fromkeys(
        [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0], 100
    )


def test_levels_are_written_as_one_would_type_them() -> None:
    dimension = Dimension("x", "float", 0.05, 0.4, step=0.05)
    drawn = {dimension.from_unit((k + 0.5) / 80) for k in range(80)}
    assert drawn == {0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4}


@pytest.mark.parametrize(
    ("dimension", "text"),
    [
        (Dimension("x", "float", 0.5, 4, step=0.5, unit="m"), "x in 0.5:4 m in steps of 0.5"),
        (Dimension("x", "int", 8, 64, True, step=8), "x in 8:64 (log) in steps of 8"),
        (
            Dimension("x", "choice", choices=("a", "b"), weights=(0.9, 0.1)),
            "x in a (90%), b (10%)",
        ),
        (Dimension("x", "float", 0.5, 0.5), "x = 0.5"),
        (Dimension("x", "int", 3, 3, True), "x = 3"),
    ],
)
def test_step_and_weights_are_shown(dimension: Dimension, text: str) -> None:
    assert str(dimension) == text


@pytest.mark.parametrize("dimension", PLAIN, ids=lambda d: d.path)
def test_dimensions_without_step_or_weights_have_cells_too(dimension: Dimension) -> None:
    edges = make_axis(dimension).edges
    assert dimension.edges == (0.0, *edges, 1.0)
