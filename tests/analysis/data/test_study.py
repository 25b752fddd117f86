"""Which trials count, and that nothing else does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from analysis.data.outcomes import add_outcomes
from analysis.data.selection import (
    find_best_trial,
    find_default_trial,
    select_comparable,
    select_finished,
    select_trained,
    select_trained_or_broken,
    select_with_failures,
)
from analysis.data.study import load_study
from study.records.study_folder import StudyFolder

Make = Callable[..., StudyFolder]


TRIVIAL = 13.0


def table(**columns: list[object]) -> pd.DataFrame:
    """Trials of a scene whose best trivial image has `TRIVIAL` dB."""
    rows = len(next(iter(columns.values())))
    usual = {
        "phase": "explore",
        "state": "completed",
        "steps_done": 100,
        "budget_steps": 100,
        "score": 20.0,
    }
    trials = pd.DataFrame({**{name: [value] * rows for name, value in usual.items()}, **columns})
    return add_outcomes(trials, {"black": 9.0, "mean image": TRIVIAL})


def test_only_explore_trials_of_the_full_budget_are_comparable() -> None:
    trials = table(
        state=["completed", "collapsed", "collapsed", "pruned", "failed", "completed", "completed"],
        steps_done=[100, 100, 40, 40, 10, 100, 100],
        phase=["explore"] * 5 + ["optimize", "explore"],
        score=[20.0, 11.0, 10.0, 15.0, np.nan, 25.0, np.inf],
    )
    used = select_comparable(trials)
    assert list(used.trials.index) == [0]
    assert used.left_out == {
        "collapsed": 2,
        "pruned": 1,
        "failed": 2,  # an infinite PSNR does not show that a run trained
        "of the optimise phase (drawn where results were good)": 1,
    }
    assert "1 trial used; left out: " in used.sentence()


def test_a_run_that_collapsed_at_its_full_budget_counts_as_one_caught_a_step_before() -> None:
    trials = table(state=["completed", "collapsed", "collapsed"], steps_done=[100, 100, 99])
    for selection in (
        select_comparable(trials).trials,
        select_with_failures(trials),
        select_trained_or_broken(trials),
        select_trained(trials),
        select_finished(trials),
    ):
        assert (1 in selection.index) == (2 in selection.index)
    assert select_comparable(trials).left_out == {"collapsed": 2}


def test_a_run_at_the_trivial_psnr_shows_nothing() -> None:
    trials = table(score=[TRIVIAL, np.nextafter(TRIVIAL, 99.0), 9.0])
    assert list(trials["outcome"]) == ["shows nothing", "trained", "shows nothing"]
    used = select_comparable(trials)
    assert list(used.trials.index) == [1]
    assert used.sentence() == "1 trial used; left out: 2 show nothing."
    assert list(select_trained(trials).index) == [1]
    assert list(select_finished(trials).index) == [0, 1, 2]


def test_failed_runs_count_at_their_last_psnr() -> None:
    trials = table(
        state=["completed", "completed", "collapsed", "collapsed", "pruned", "failed", "completed"],
        steps_done=[100, 100, 40, 30, 40, 10, 50],
        budget_steps=[100] * 6 + [50],
        score=[20.0, 12.0, 10.0, np.nan, 15.0, 8.0, 20.0],
    )
    counted = select_with_failures(trials)
    assert list(counted["score"]) == [20.0, 12.0, 10.0]
    assert set(select_comparable(trials).trials.index) <= set(counted.index)
    assert list(select_trained_or_broken(trials).index) == [0, 1, 2, 3, 6]


def test_without_trivial_psnrs_no_run_shows_nothing() -> None:
    trials = add_outcomes(table(score=[-5.0, 20.0]), {})
    assert list(trials["outcome"]) == ["trained", "trained"]


def test_trials_of_another_budget_are_left_out() -> None:
    used = select_comparable(table(steps_done=[50, 100, 100], budget_steps=[50, 100, 100]))
    assert used.left_out == {"with another budget": 1}


def test_each_phase_is_left_out_for_a_reason_of_its_own() -> None:
    phases = ["explore", "replicate", "variant", "optimize"]
    used = select_comparable(table(phase=phases, score=[20.0] * 4))
    assert used.left_out == {
        "repeated with another seed": 1,
        "of named variants (not drawn from the space)": 1,
        "of the optimise phase (drawn where results were good)": 1,
    }


def test_an_empty_table_has_no_comparable_trials() -> None:
    assert select_comparable(table(score=[])).trials.empty


@pytest.mark.parametrize("state", ["pruned", "collapsed", "failed"])
def test_the_best_trial_is_a_completed_one(state: str) -> None:
    trials = table(state=["completed", state], score=[20.0, 30.0])
    best = find_best_trial(trials)
    assert best is not None
    assert best["score"] == 20.0


def test_the_default_trial_is_identified_by_its_configuration(make_study: Make) -> None:
    study = load_study(make_study(explore=9, optimize=2))
    default = find_default_trial(study)
    assert default is not None
    assert default["number"] == 9
    without = load_study(make_study(explore=9, optimize=0))
    assert find_default_trial(without) is None
