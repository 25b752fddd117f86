"""Rates of collapse, their intervals and their test."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.findings.collapse import analyze_collapse
from analysis.importance import sobol
from analysis.stats.rates import sample_fisher_p_value, wilson_interval
from study.spec.space import Dimension

NEAR = Dimension("near", "float", 0.0, 8.0, label="near")
ACT = Dimension("act", "choice", choices=("relu", "sigmoid"), label="activation")


def trials(dead: list[bool], near: list[float], act: list[str]) -> pd.DataFrame:
    state = np.where(dead, "collapsed", "completed")
    return pd.DataFrame({"phase": "explore", "state": state, "near": near, "act": act})


@pytest.fixture
def without_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    """No surrogate is fitted, for tests of rates and p-values alone."""
    monkeypatch.setattr(sobol, "MIN_TRIALS_FOR_SOBOL", 10_000)


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """The twin: the formula of Wilson 1927."""
    z = stats.norm.ppf(0.975)
    rate, shrink = successes / trials, 1.0 + z * z / trials
    centre = (rate + z * z / (2 * trials)) / shrink
    half = z / shrink * np.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    return max(0.0, centre - half), min(1.0, centre + half)


@pytest.mark.parametrize(
    ("successes", "total"),
    [(0, 1), (1, 1), (0, 10), (3, 10), (10, 10), (1, 200), (199, 200), (49, 49), (7, 49)],
)
def test_wilson_interval_is_that_of_the_formula(successes: int, total: int) -> None:
    assert wilson_interval(successes, total) == pytest.approx(wilson(successes, total), abs=1e-12)


def test_wilson_interval_of_nothing_is_everything() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize("table", [[[8, 2], [1, 5]], [[10, 0], [9, 1]], [[3, 3], [3, 3]]])
def test_sampled_p_value_is_fishers(table: list[list[int]]) -> None:
    exact = stats.fisher_exact(table).pvalue
    assert sample_fisher_p_value([np.array(table)], np.random.default_rng(0)) == pytest.approx(
        exact, abs=0.02
    )


def test_p_value_of_three_groups_is_the_enumerated_one() -> None:
    """The twin walks through every table with the same margins."""
    table = np.array([[5, 1], [2, 4], [0, 6]])
    totals, dead = table.sum(axis=1), int(table[:, 1].sum())
    every = [k for k in itertools.product(*(range(t + 1) for t in totals)) if sum(k) == dead]
    chance = [
        np.prod([stats.binom(t, 0.5).pmf(k) for t, k in zip(totals, row, strict=True)])
        for row in every
    ]
    seen = chance[every.index(tuple(table[:, 1]))]
    exact = sum(c for c in chance if c <= seen * (1 + 1e-9)) / sum(chance)
    assert sample_fisher_p_value([table], np.random.default_rng(0)) == pytest.approx(
        exact, abs=0.01
    )


def test_the_parameter_that_breaks_training_is_named_with_its_rates() -> None:
    rng = np.random.default_rng(0)
    near, act = rng.uniform(0, 8, 80), rng.choice(["relu", "sigmoid"], 80)
    collapse = analyze_collapse(trials(list(near > 6), list(near), list(act)), (NEAR, ACT), rng)
    assert [breaking.path for breaking in collapse.significant_parameters] == ["near"]
    *safe, last = collapse.significant_parameters[0].rates
    assert last.name == "6 to 8"
    assert (last.rate, last.high) == (1.0, 1.0)
    assert all(rate.collapsed == 0 for rate in safe)
    assert collapse.sobol.importance.shares[0].path == "near"


def test_trials_that_a_scheduler_stopped_or_that_failed_say_nothing() -> None:
    table = trials([True, False, False, False], [1.0, 2.0, 3.0, 4.0], ["relu"] * 4)
    table["state"] = ["collapsed", "completed", "pruned", "failed"]
    collapse = analyze_collapse(table, (NEAR, ACT), np.random.default_rng(0))
    assert (collapse.trials, collapse.collapsed) == (2, 1)


@pytest.mark.parametrize("dead", [True, False])
@pytest.mark.parametrize("count", [0, 1, 40])
def test_all_or_none_collapsed_is_said_and_not_ranked(dead: bool, count: int) -> None:
    near = list(np.linspace(0, 8, count))
    collapse = analyze_collapse(
        trials([dead] * count, near, ["relu"] * count), (NEAR, ACT), np.random.default_rng(0)
    )
    assert not collapse.ranked
    assert not collapse.significant_parameters
    assert all(breaking.p_value == 1.0 for breaking in collapse.parameters)


@pytest.mark.usefixtures("without_shares")
def test_a_pair_is_named_where_each_matters_while_the_other_is_held() -> None:
    rng = np.random.default_rng(0)
    near, act = rng.uniform(0, 8, 120), rng.choice(["relu", "sigmoid"], 120)
    both = (near > 16 / 3) & (act == "relu")
    collapse = analyze_collapse(trials(list(both), list(near), list(act)), (NEAR, ACT), rng)
    (pair,) = collapse.significant_pairs
    assert pair.paths == ("near", "act")
    assert pair.names == (("0 to 2.67", "2.67 to 5.33", "5.33 to 8"), ("relu", "sigmoid"))
    relu, sigmoid = pair.rates
    assert [rate.rate for rate in relu] == [0.0, 0.0, 1.0]
    assert not any(rate.collapsed for rate in sigmoid)
    assert sum(rate.trials for row in pair.rates for rate in row) == 120


@pytest.mark.usefixtures("without_shares")
def test_a_parameter_that_only_rides_along_makes_no_pair() -> None:
    """Collapse follows near alone: no choice of activation changes it."""
    hits = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        near, act = rng.uniform(0, 8, 60), rng.choice(["relu", "sigmoid"], 60)
        dead = rng.random(60) < np.where(near > 4, 0.8, 0.1)
        hits += bool(
            analyze_collapse(
                trials(list(dead), list(near), list(act)), (NEAR, ACT), rng
            ).significant_pairs
        )
    assert hits <= 3


def test_strata_that_each_differ_add_up() -> None:
    """Neither table is rare alone; the twin multiplies hypergeometric chances of both."""
    tables = [np.array([[4, 1], [1, 3]]), np.array([[5, 1], [2, 3]])]
    chances = [
        {
            k: stats.hypergeom(t.sum(), t[:, 1].sum(), t[1].sum()).pmf(k)
            for k in range(t[1].sum() + 1)
        }
        for t in tables
    ]
    seen = np.prod([chance[t[1, 1]] for chance, t in zip(chances, tables, strict=True)])
    joint = [a * b for a in chances[0].values() for b in chances[1].values()]
    exact = sum(c for c in joint if c <= seen * (1 + 1e-9))
    assert sample_fisher_p_value(tables, np.random.default_rng(0)) == pytest.approx(
        exact, abs=0.015
    )
