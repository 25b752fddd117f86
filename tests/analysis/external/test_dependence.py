"""Dependence of all pairs at once, against the tests of SciPy, which take one pair each."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2_contingency, kruskal, spearmanr

from analysis.external.dependence import pair_p_values


def table_p_value(first: np.ndarray, second: np.ndarray) -> float:
    """Of two parameters with few levels."""
    levels = [np.unique(c, return_inverse=True)[1] for c in (first, second)]
    table = np.zeros([codes.max() + 1 for codes in levels])
    np.add.at(table, tuple(levels), 1)
    return float(chi2_contingency(table).pvalue)


@pytest.fixture
def units() -> np.ndarray:
    """An ordered parameter of four values, one of two that follows it, a choice of three."""
    rng = np.random.default_rng(1)
    first = rng.integers(4, size=200) / 3
    second = (first + 0.8 * rng.random(200) > 0.8) * 1.0
    return np.column_stack([first, second, rng.integers(3, size=200) / 2])


def test_ordered_pairs_take_the_smaller_p_value_of_spearman_and_chi_squared(
    units: np.ndarray,
) -> None:
    first, second = units[:, 0], units[:, 1]
    expected = 2 * min(spearmanr(first, second).pvalue, table_p_value(first, second))
    assert pair_p_values(units[:, :2], [False, False]) == pytest.approx([expected], rel=1e-9)


def test_a_choice_and_a_number_take_kruskal_and_wallis(units: np.ndarray) -> None:
    number, choice = units[:, 0], units[:, 2]
    ranks = kruskal(*(number[choice == level] for level in np.unique(choice))).pvalue
    expected = min(1.0, 2 * min(ranks, table_p_value(number, choice)))
    assert pair_p_values(units[:, [0, 2]], [False, True]) == pytest.approx([expected], rel=1e-9)
    assert pair_p_values(units[:, [2, 0]], [True, False]) == pytest.approx([expected], rel=1e-9)


def test_tables_of_two_by_two_are_corrected_as_by_yates(units: np.ndarray) -> None:
    choices = np.column_stack([units[:, 1], units[:, 0] > 0.5])
    expected = min(1.0, 2 * table_p_value(choices[:, 0], choices[:, 1]))
    assert pair_p_values(choices, [True, True]) == pytest.approx([expected], rel=1e-9)


def test_a_parameter_that_does_not_vary_depends_on_none(units: np.ndarray) -> None:
    still = np.column_stack([units, np.full(200, 0.5)])
    p_values = pair_p_values(still, [False, False, True, False])
    assert p_values[[2, 4, 5]] == pytest.approx(1.0)  # pairs of the last one


def test_independent_parameters_seldom_seem_dependent() -> None:
    units = np.random.default_rng(2).random((128, 60))
    p_values = pair_p_values(units, [False] * 60)
    assert len(p_values) == 60 * 59 // 2
    assert np.mean(p_values < 0.05) <= 0.05
    assert p_values.min() > 0.003 / len(p_values)
