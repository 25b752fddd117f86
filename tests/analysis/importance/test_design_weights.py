"""The part of the space that each trial represents, and the effective sample size."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.importance.design_weights import weigh_by_nearest
from analysis.surrogate.unit_cube import Axis

PLANE = (Axis("a", "a"), Axis("b", "b"))


def test_a_trial_stands_for_what_is_nearest_to_it() -> None:
    units = np.array([[0.25, 0.25], [0.25, 0.75], [0.75, 0.25], [0.75, 0.75]])
    weights = weigh_by_nearest(units, PLANE)
    assert weights.weights == pytest.approx([0.25] * 4, abs=0.01)
    assert weights.effective == pytest.approx(4.0, abs=0.05)


def test_many_trials_in_a_corner_are_worth_few() -> None:
    rng = np.random.default_rng(0)
    corner = 0.9 + 0.1 * rng.random((60, 2))
    weights = weigh_by_nearest(np.vstack([rng.random((20, 2)), corner]), PLANE)
    assert weights.weights.sum() == pytest.approx(1.0)
    assert 8 < weights.effective < 20


def test_repeated_trials_share_their_part() -> None:
    units = np.array([[0.2, 0.5], [0.2, 0.5], [0.8, 0.5]])
    assert weigh_by_nearest(units, PLANE).weights == pytest.approx([0.25, 0.25, 0.5], abs=0.01)


def test_levels_without_an_order_are_as_far_from_one_another() -> None:
    levels = (Axis("c", "c", (1 / 6, 0.5, 5 / 6), (1 / 3, 2 / 3), unordered=True),)
    units = np.array([[1 / 6], [0.5], [5 / 6]])
    assert weigh_by_nearest(units, levels).weights == pytest.approx([1 / 3] * 3, abs=0.01)


def test_of_many_trials_those_that_stand_for_most_are_kept() -> None:
    rng = np.random.default_rng(1)
    spread, corner = rng.random((50, 2)), 0.98 + 0.02 * rng.random((2000, 2))
    weights = weigh_by_nearest(np.vstack([corner, spread]), PLANE)
    assert len(weights.rows) == 400
    assert set(range(2000, 2050)) <= set(weights.rows.tolist())
