"""What the seed alone does, from explored configurations that were run again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import pytest

from analysis.data.study import Study, load_study
from analysis.findings.seed_variance import (
    classify_replicates,
    estimate_seed_variance,
)
from nerf.config.parameters import Value
from study.records.study_folder import StudyFolder

Make = Callable[..., StudyFolder]
EXPLORE, REPLICATES, NOISE = 24, 24, 0.5


def ten_frequencies(values: Mapping[str, Value]) -> float:
    return 15.0 + 0.6 * int(values["encoding.position_frequencies"])


@pytest.fixture(scope="module")
def study(make_study: Make) -> Study:
    """Twelve explored configurations run twice, and as many runs of the default."""
    return load_study(
        make_study(
            explore=EXPLORE,
            optimize=0,
            replicates=REPLICATES,
            vary=("encoding.position_frequencies", "optimisation.learning_rate"),
            objective=ten_frequencies,
            noise=NOISE,
        )
    )


def with_turns(study: Study, alternating: int) -> Study:
    spec = {**study.spec, "alternating_replicates": alternating}
    return dataclasses.replace(study, spec=spec)


def test_the_spread_is_of_explored_configurations(study: Study) -> None:
    seeds = estimate_seed_variance(study)
    assert seeds.spread is not None
    assert (seeds.spread.configurations, seeds.spread.runs) == (12, 24)
    assert seeds.spread.low <= NOISE <= seeds.spread.high
    assert seeds.pure_df == 12
    assert seeds.pure_ss == pytest.approx(12 * NOISE**2, rel=0.6)


def test_the_part_of_the_variance_is_of_the_explored_runs(study: Study) -> None:
    seeds = estimate_seed_variance(study)
    explored = study.trials.query("phase == 'explore' and outcome == 'trained'")
    assert seeds.part is not None
    assert seeds.part.low <= NOISE**2 / explored["score"].var() <= seeds.part.high


def test_replicates_are_classified_by_their_turn(study: Study) -> None:
    roles = [r for r in classify_replicates(with_turns(study, 4)) if r]
    assert roles[:4] == ["explored", "best"] * 2
    assert roles[4:] == [("explored", "best", "default")[i % 3] for i in range(REPLICATES - 4)]
    old = {k: v for k, v in study.spec.items() if k != "alternating_replicates"}
    roles = [r for r in classify_replicates(dataclasses.replace(study, spec=old)) if r]
    assert roles == ["explored", "best"] * 12


def test_a_replicate_that_still_runs_does_not_shift_the_others(study: Study) -> None:
    whole = classify_replicates(study)
    running = EXPLORE + 5
    part = dataclasses.replace(study, trials=study.trials.drop(index=running))
    assert classify_replicates(part).equals(whole.drop(index=running))


def test_a_configuration_that_broke_with_some_seeds_counts_as_partly_broken(study: Study) -> None:
    trials = study.trials.copy()
    trials.loc[[0, 1, EXPLORE + 2], "outcome"] = "shows nothing"  # 26 repeats explored point 1
    seeds = estimate_seed_variance(dataclasses.replace(study, trials=trials))
    assert (seeds.repeated, seeds.partly_broken) == (12, 1)
    assert seeds.spread is not None
    assert seeds.spread.configurations == 10


def test_without_replicates_there_is_no_estimate(study: Study) -> None:
    alone = dataclasses.replace(study, trials=study.trials.query("phase == 'explore'"))
    seeds = estimate_seed_variance(alone)
    assert (seeds.spread, seeds.part, seeds.pure_df, seeds.repeated) == (None, None, 0, 0)
