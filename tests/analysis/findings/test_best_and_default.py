"""Best against default: further seeds of both, the selected run left out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import pytest

from analysis.data.study import Study, load_study
from analysis.findings.best_and_default import compare_best_with_default
from nerf.config.parameters import Value
from study.records.study_folder import StudyFolder

Make = Callable[..., StudyFolder]
EXPLORE, OPTIMIZE = 55, 1
DEFAULT = EXPLORE
"""The number of the default's first trial."""


def constant(values: Mapping[str, Value]) -> float:
    return 20.0


@pytest.fixture(scope="module")
def study(make_study: Make) -> Study:
    """Without replicates; `optimisation.learning_rate` alone varies."""
    vary = ("optimisation.learning_rate",)
    return load_study(
        make_study(explore=EXPLORE, optimize=OPTIMIZE, vary=vary, objective=constant, noise=0.0)
    )


def simulate(
    study: Study, rng: np.random.Generator, gain: float = 0.0, replicates: int = 12
) -> Study:
    """Runs whose PSNR is noise, the best `gain` dB above the rest; then replicates in turn."""
    trials = study.trials.assign(outcome="trained", state="completed")
    trials["score"] = 20.0 + rng.normal(size=len(trials))
    best = trials["score"].drop(index=DEFAULT).idxmax()
    rows = [trials.loc[[(index // 3), best, DEFAULT][index % 3]] for index in range(replicates)]
    again = pd.DataFrame(rows).assign(phase="replicate")
    again["number"] = range(len(trials), len(trials) + replicates)
    again["score"] = 20.0 + rng.normal(size=replicates)
    again.iloc[1::3, again.columns.get_loc("score")] += gain
    every = pd.concat([trials, again], ignore_index=True)
    spec = {**study.spec, "replicates": replicates, "alternating_replicates": 0}
    return dataclasses.replace(study, trials=every, spec=spec)


def test_the_best_of_56_equal_configurations_is_not_said_to_be_better(study: Study) -> None:
    rng = np.random.default_rng(0)
    covered, selected = [], []
    for _ in range(300):
        compared = compare_best_with_default(simulate(study, rng))
        assert compared is not None
        assert compared.difference is not None
        covered.append(compared.difference.low <= 0.0 <= compared.difference.high)
        selected.append(compared.selected_by)
    assert 0.92 <= np.mean(covered) <= 0.98
    assert np.mean(selected) > 22.0  # the winner's curse


def test_all_runs_of_the_default_count_and_of_the_best_its_further_ones(study: Study) -> None:
    simulated = simulate(study, np.random.default_rng(0), gain=9.0)
    compared = compare_best_with_default(simulated)
    assert compared is not None
    assert (len(compared.best.scores), len(compared.default.scores)) == (4, 5)
    assert compared.selected_by not in compared.best.scores
    assert compared.default.trial_id == f"{DEFAULT:05d}"
    assert compared.difference is not None
    assert compared.difference.mean == pytest.approx(
        np.mean(compared.best.scores) - np.mean(compared.default.scores)
    )
    assert compared.difference.low > 0.0
    assert (compared.outside, compared.reason) == ((), "")


def test_runs_that_broke_are_counted_and_not_averaged(study: Study) -> None:
    simulated = simulate(study, np.random.default_rng(0))
    of_best = simulated.trials.query("phase == 'replicate'").index[1::3]
    simulated.trials.loc[of_best[0], ["state", "outcome"]] = "collapsed"
    simulated.trials.loc[of_best[1], "outcome"] = "shows nothing"
    compared = compare_best_with_default(simulated)
    assert compared is not None
    breaks = compared.best.breaks
    assert (breaks.trials, breaks.collapsed, breaks.shows_nothing) == (4, 1, 1)
    assert len(compared.best.scores) == len(compared.best.seeds) == 2


def test_one_run_each_cannot_tell(study: Study) -> None:
    compared = compare_best_with_default(study)
    assert compared is not None
    assert compared.difference is None
    state, _, command = compared.reason.partition("; for more seeds of both: ")
    assert state == "one run each cannot tell"
    assert command.startswith("python study/run_sweep.py --studies ")
    assert command.endswith("--name synthetic --extend 0 --replicates 12")


def test_without_replicates_the_other_runs_of_the_best_do_not_count(study: Study) -> None:
    """As in a study of few choices, which explores each configuration several times."""
    simulated = simulate(study, np.random.default_rng(0), replicates=12)
    trials = simulated.trials.assign(phase="explore")
    compared = compare_best_with_default(dataclasses.replace(simulated, trials=trials))
    assert compared is not None
    assert compared.difference is None
    assert compared.reason.startswith(
        "too few runs trained (replicates of the best: 0, runs of the default: 5); for more seeds"
    )


def test_a_default_that_was_not_run_is_named(study: Study) -> None:
    without = dataclasses.replace(study, trials=study.trials.drop(index=DEFAULT))
    compared = compare_best_with_default(without)
    assert compared is not None
    assert compared.default.trial_id == ""
    assert "the default configuration was not run" in compared.reason


def test_where_the_default_was_best_it_is_compared_with_the_next(study: Study) -> None:
    simulated = simulate(study, np.random.default_rng(0))
    simulated.trials.loc[DEFAULT, "score"] = 99.0
    compared = compare_best_with_default(simulated)
    assert compared is not None
    assert compared.best.values != compared.default.values
    assert 99.0 in compared.default.scores


def test_a_default_outside_the_space_is_compared_and_named(make_study: Make) -> None:
    vary = ("field.width=16,32", "optimisation.learning_rate")
    study = load_study(make_study(explore=12, optimize=1, vary=vary, objective=constant))
    compared = compare_best_with_default(study)
    assert compared is not None
    assert compared.outside == ("field.width",)
    assert compared.default.values["field.width"] == 128
    assert study.trials.loc[12, "field.width"] == 128
