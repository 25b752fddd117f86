"""The explore design: even, repeatable, extendable."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import qmc

from study.search.sobol_design import explore_point, trial_seed
from study.spec.default_space import make_space

SPACE = make_space("wide", {})


def units(seed: int, count: int) -> np.ndarray:
    points = [explore_point(SPACE, seed, index, 4) for index in range(count)]
    return np.array([[d.to_unit(point[d.path]) for d in SPACE.dimensions] for point in points])


def test_points_are_scrambled_sobol_sequences_in_turn() -> None:
    for net in range(4):
        rng = np.random.default_rng((7, net))
        rows = qmc.Sobol(len(SPACE.dimensions), rng=rng).random(8)
        for place, row in enumerate(rows):
            assert explore_point(SPACE, 7, 4 * place + net, 4) == SPACE.point(list(row))


def test_one_net_is_the_sequence_of_earlier_versions() -> None:
    sequence = qmc.Sobol(len(SPACE.dimensions), rng=np.random.default_rng(7))
    for index, row in enumerate(sequence.random(16)):
        assert explore_point(SPACE, 7, index, 1) == SPACE.point(list(row))


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
    assert explore_point(SPACE, 0, 5, 4) != explore_point(SPACE, 1, 5, 4)
