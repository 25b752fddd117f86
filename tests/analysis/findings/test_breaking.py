"""Rates of collapse by parameter and by pair, and which are significant."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.findings.breaking import analyze_breaking
from analysis.importance import sobol
from study.spec.space import Dimension

NEAR = Dimension("near", "float", 0.0, 8.0, label="near")
ACT = Dimension("act", "choice", choices=("relu", "sigmoid"), label="activation")


def trials(collapsed: list[bool], near: list[float], act: list[str]) -> pd.DataFrame:
    state = np.where(collapsed, "collapsed", "completed")
    return pd.DataFrame({"phase": "explore", "state": state, "near": near, "act": act})


@pytest.fixture
def without_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    """No surrogate is fitted, for tests of rates and p-values alone."""
    monkeypatch.setattr(sobol, "MIN_TRIALS_FOR_SOBOL", 10_000)


def test_the_parameter_behind_the_collapses_is_significant() -> None:
    rng = np.random.default_rng(0)
    near, act = rng.uniform(0, 8, 80), rng.choice(["relu", "sigmoid"], 80)
    collapse = analyze_breaking(trials(list(near > 6), list(near), list(act)), (NEAR, ACT), rng)
    assert [breaking.path for breaking in collapse.significant_parameters] == ["near"]
    *safe, last = collapse.significant_parameters[0].rates
    assert last.name == "6 to 8"
    assert (last.rate, last.high) == (1.0, 1.0)
    assert all(rate.collapsed == 0 for rate in safe)
    assert collapse.sobol.importance.shares[0].path == "near"


def test_pruned_and_failed_trials_do_not_count() -> None:
    table = trials([True, False, False, False], [1.0, 2.0, 3.0, 4.0], ["relu"] * 4)
    table["state"] = ["collapsed", "completed", "pruned", "failed"]
    collapse = analyze_breaking(table, (NEAR, ACT), np.random.default_rng(0))
    assert (collapse.trials, collapse.collapsed) == (2, 1)


@pytest.mark.parametrize("collapsed", [True, False])
@pytest.mark.parametrize("count", [0, 1, 40])
def test_no_ranking_if_all_or_no_trials_collapsed(collapsed: bool, count: int) -> None:
    near = list(np.linspace(0, 8, count))
    collapse = analyze_breaking(
        trials([collapsed] * count, near, ["relu"] * count), (NEAR, ACT), np.random.default_rng(0)
    )
    assert not collapse.ranked
    assert not collapse.significant_parameters
    assert all(breaking.p_value == 1.0 for breaking in collapse.parameters)


@pytest.mark.usefixtures("without_shares")
def test_a_pair_is_significant_if_each_parameter_matters_given_the_other() -> None:
    rng = np.random.default_rng(0)
    near, act = rng.uniform(0, 8, 120), rng.choice(["relu", "sigmoid"], 120)
    both = (near > 16 / 3) & (act == "relu")
    collapse = analyze_breaking(trials(list(both), list(near), list(act)), (NEAR, ACT), rng)
    (pair,) = collapse.significant_pairs
    assert pair.paths == ("near", "act")
    assert pair.names == (("0 to 2.67", "2.67 to 5.33", "5.33 to 8"), ("relu", "sigmoid"))
    relu, sigmoid = pair.rates
    assert [rate.rate for rate in relu] == [0.0, 0.0, 1.0]
    assert not any(rate.collapsed for rate in sigmoid)
    assert sum(rate.trials for row in pair.rates for rate in row) == 120


@pytest.mark.usefixtures("without_shares")
def test_an_idle_parameter_forms_no_significant_pair() -> None:
    """Collapse follows near alone: no choice of activation changes it."""
    hits = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        near, act = rng.uniform(0, 8, 60), rng.choice(["relu", "sigmoid"], 60)
        collapsed = rng.random(60) < np.where(near > 4, 0.8, 0.1)
        hits += bool(
            analyze_breaking(
                trials(list(collapsed), list(near), list(act)), (NEAR, ACT), rng
            ).significant_pairs
        )
    assert hits <= 3
