"""Axes of the unit cube agree with the dimensions that they stand for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.surrogate.unit_cube import Axis, make_axis, to_quantiles
from study.spec.default_space import SPACES
from study.spec.parse_space import parse_dimension
from study.spec.space import Dimension

DIMENSIONS = [parse_dimension(text) for text in SPACES["wide"].varied]
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


def test_a_density_changes_the_weights_of_a_grid_and_nothing_else() -> None:
    axis = Axis("a", "a", density=(1.0, 0.0, 3.0, 0.0))
    points, chances = axis.grid(8)
    assert np.array_equal(points, Axis("a", "a").grid(8)[0])
    assert chances == pytest.approx([0.125, 0.125, 0.0, 0.0, 0.375, 0.375, 0.0, 0.0])


def test_a_density_of_levels_multiplies_their_probabilities() -> None:
    levels = Axis("a", "a", (0.1, 0.6), (0.2,), unordered=True, density=(1.0, 0.5))
    points, chances = levels.grid(32)
    assert points.tolist() == [0.1, 0.6]
    assert chances == pytest.approx([0.2 / 0.6, 0.4 / 0.6])
