"""The explore design: even, repeatable, extendable."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import qmc

from study.search.sobol_design import explore_point, trial_seed
from study.spec.default_space import make_default_space

SPACE = make_default_space({})


def units(seed: int, count: int) -> np.ndarray:
    points = [explore_point(SPACE, seed, index) for index in range(count)]
    return np.array([[d.to_unit(point[d.path]) for d in SPACE.dimensions] for point in points])


def test_points_are_the_scrambled_sobol_sequence() -> None:
    sequence = qmc.Sobol(len(SPACE.dimensions), rng=np.random.default_rng(7))
    for index, row in enumerate(sequence.random(16)):
        assert explore_point(SPACE, 7, index) == SPACE.point(list(row))


def test_points_cover_each_dimension_more_evenly_than_chance() -> None:
    continuous = [i for i, d in enumerate(SPACE.dimensions) if d.kind == "float"]
    design = units(3, 64)[:, continuous]
    chance = np.random.default_rng(3).random(design.shape)
    assert qmc.discrepancy(design) < 0.5 * qmc.discrepancy(chance)


@given(st.integers(0, 2**31 - 1), st.integers(0, 10_000))
def test_seeds_are_repeatable_and_differ_between_trials(seed: int, number: int) -> None:
    assert trial_seed(seed, number) == trial_seed(seed, number)
    assert 0 <= trial_seed(seed, number) < 2**31
    assert trial_seed(seed, number) != trial_seed(seed, number + 1)


def test_another_seed_is_another_design() -> None:
    assert explore_point(SPACE, 0, 5) != explore_point(SPACE, 1, 5)
