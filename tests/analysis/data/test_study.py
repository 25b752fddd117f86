"""Which trials count, and that nothing else does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from analysis.data.selection import find_best_trial, find_default_trial, select_comparable
from analysis.data.study import load_study
from study.records.study_folder import StudyFolder

Make = Callable[..., StudyFolder]


def table(**columns: list[object]) -> pd.DataFrame:
    rows = len(next(iter(columns.values())))
    usual = {
        "phase": "explore",
        "state": "completed",
        "steps_done": 100,
        "budget_steps": 100,
        "psnr": 20.0,
    }
    return pd.DataFrame({**{name: [value] * rows for name, value in usual.items()}, **columns})


def test_only_explore_trials_of_the_full_budget_are_comparable() -> None:
    trials = table(
        state=["completed", "collapsed", "collapsed", "pruned", "failed", "completed", "completed"],
        steps_done=[100, 100, 40, 40, 10, 100, 100],
        phase=["explore"] * 5 + ["optimize", "explore"],
        psnr=[20.0, 11.0, 10.0, 15.0, np.nan, 25.0, np.inf],
    )
    used = select_comparable(trials)
    assert list(used.trials.index) == [0, 1]
    assert sum(used.left_out.values()) == 5
    assert used.left_out["collapsed before the full budget"] == 1
    assert "2 trials used; left out: " in used.sentence()


def test_trials_of_another_budget_are_left_out() -> None:
    used = select_comparable(table(steps_done=[50, 100, 100], budget_steps=[50, 100, 100]))
    assert used.left_out == {"with another budget": 1}


def test_each_phase_is_left_out_for_a_reason_of_its_own() -> None:
    phases = ["explore", "replicate", "variant", "optimize"]
    used = select_comparable(table(phase=phases, psnr=[20.0] * 4))
    assert used.left_out == {
        "repeated with another seed": 1,
        "of named variants (not drawn from the space)": 1,
        "of the optimise phase (drawn where results were good)": 1,
    }


def test_an_empty_table_has_no_comparable_trials() -> None:
    assert select_comparable(table(psnr=[])).trials.empty


@pytest.mark.parametrize("state", ["pruned", "collapsed", "failed"])
def test_the_best_trial_is_a_completed_one(state: str) -> None:
    trials = table(state=["completed", state], psnr=[20.0, 30.0])
    best = find_best_trial(trials)
    assert best is not None
    assert best["psnr"] == 20.0


def test_the_default_trial_is_identified_by_its_configuration(make_study: Make) -> None:
    study = load_study(make_study(explore=9, optimize=2))
    default = find_default_trial(study)
    assert default is not None
    assert default["number"] == 9
    without = load_study(make_study(explore=9, optimize=0))
    assert find_default_trial(without) is None
