"""Axes of the unit cube agree with the dimensions that they stand for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.surrogate.unit_cube import encode_one_hot, make_axis, to_quantiles
from study.spec.default_space import DEFAULT_VARIED
from study.spec.parse_space import parse_dimension
from study.spec.space import Dimension

DIMENSIONS = [parse_dimension(text) for text in DEFAULT_VARIED]
QUANTILE = st.floats(0.0, 1.0, exclude_max=True)


@given(st.sampled_from(DIMENSIONS), QUANTILE)
def test_snapping_matches_a_round_trip_through_the_value(dimension: Dimension, u: float) -> None:
    through = dimension.to_unit(dimension.from_unit(u))
    assert make_axis(dimension).snap(np.array([u]))[0] == pytest.approx(through, abs=1e-9)


@given(st.sampled_from(DIMENSIONS), st.integers(2, 64))
def test_grid_weights_are_the_probabilities_of_the_prior(dimension: Dimension, cells: int) -> None:
    points, chances = make_axis(dimension).grid(cells)
    assert chances.sum() == pytest.approx(1.0)
    assert (np.diff(points) > 0).all()
    drawn = make_axis(dimension).snap((np.arange(20_000) + 0.5) / 20_000)
    assert chances @ points == pytest.approx(drawn.mean(), abs=0.01)


@given(st.lists(st.tuples(*[QUANTILE] * len(DIMENSIONS)), max_size=5))
def test_quantiles_of_a_table_are_those_of_its_values(rows: list[tuple[float, ...]]) -> None:
    values = [
        {d.path: d.from_unit(u) for d, u in zip(DIMENSIONS, row, strict=True)} for row in rows
    ]
    table = pd.DataFrame(values, columns=[d.path for d in DIMENSIONS])
    units = to_quantiles(table, DIMENSIONS)
    assert units.shape == (len(rows), len(DIMENSIONS))
    for j, dimension in enumerate(DIMENSIONS):
        snapped = make_axis(dimension).snap(np.array([row[j] for row in rows]))
        assert units[:, j] == pytest.approx(snapped, abs=1e-9)


def test_unordered_axes_become_one_hot_columns() -> None:
    act = make_axis(parse_dimension("field.hidden_activation=relu,silu,gelu"))
    columns = encode_one_hot(np.array([[1 / 6], [0.5], [5 / 6]]), [act])
    assert np.array_equal(columns, np.eye(3))
