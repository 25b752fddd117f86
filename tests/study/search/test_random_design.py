"""The random design: independent draws from the prior, the same ones for ever."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import stats

from study.search.explore_design import explore_values
from study.spec.study_space import study_space
from study.spec.study_spec import StudySpec

SPACE = study_space(
    ["optimisation.learning_rate=0.0002:0.02", "field.width=16:128", "field.depth=2*0.75,4*0.25"],
    [],
    10,
)
SPEC = StudySpec(space=SPACE, explore=400, design="random", nets=1, steps=10)


def test_draws_follow_the_prior_independently() -> None:
    points = [explore_values(SPEC, index) for index in range(400)]
    units = np.array([[d.to_unit(p[d.path]) for d in SPACE.dimensions] for p in points])
    assert stats.kstest(units[:, 0], "uniform").pvalue > 0.01
    assert abs(np.corrcoef(units.T)[np.triu_indices(3, 1)]).max() < 0.12
    assert abs(np.mean([p["field.depth"] == 2 for p in points]) - 0.75) < 0.05
    following = np.corrcoef(units[:-1, 0], units[1:, 0])[0, 1]
    assert abs(following) < 0.12, "one draw tells nothing of the next"


def test_draws_are_not_spread_evenly_as_a_sobol_design_is() -> None:
    def emptiest(spec: StudySpec) -> int:
        path = "optimisation.learning_rate"
        units = [SPACE.dimensions[0].to_unit(explore_values(spec, i)[path]) for i in range(64)]
        return int(np.histogram(units, bins=8, range=(0, 1))[0].min())

    assert emptiest(dataclasses.replace(SPEC, design="sobol")) == 8
    assert emptiest(SPEC) < 8


def test_a_longer_study_goes_on_with_the_same_draws_and_another_seed_has_others() -> None:
    longer = dataclasses.replace(SPEC, explore=1000)
    assert explore_values(SPEC, 7) == explore_values(longer, 7) != explore_values(longer, 8)
    assert explore_values(dataclasses.replace(SPEC, seed=1), 7) != explore_values(SPEC, 7)
