"""Rates of breaking by parameter and by pair, which are significant, and their intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from analysis.findings.breaking import analyze_breaking, bin_levels
from analysis.stats import rates as rates_module
from analysis.stats.rates import BreakRate
from study.spec.space import Dimension

NEAR = Dimension("near", "float", 0.0, 8.0, label="near")
ACT = Dimension("act", "choice", choices=("relu", "sigmoid"), label="activation")


def trials(collapsed: list[bool], near: list[float], act: list[str]) -> pd.DataFrame:
    outcome = np.where(collapsed, "collapsed", "trained")
    return pd.DataFrame({"phase": "explore", "outcome": outcome, "near": near, "act": act})


def test_the_parameter_behind_the_collapses_is_significant() -> None:
    rng = np.random.default_rng(0)
    near, act = rng.uniform(0, 8, 80), rng.choice(["relu", "sigmoid"], 80)
    collapse = analyze_breaking(trials(list(near > 6), list(near), list(act)), (NEAR, ACT), rng)
    assert [breaking.path for breaking in collapse.significant_parameters] == ["near"]
    *safe, last = collapse.significant_parameters[0].rates
    assert last.name == "6 to 8"
    assert (last.rate, last.high) == (1.0, 1.0)
    assert all(rate.broken == 0 for rate in safe)


def test_pruned_and_failed_trials_do_not_count() -> None:
    table = trials([True, False, False, False], [1.0, 2.0, 3.0, 4.0], ["relu"] * 4)
    table["outcome"] = ["collapsed", "trained", "pruned", "failed"]
    breaking = analyze_breaking(table, (NEAR, ACT), np.random.default_rng(0))
    assert (breaking.overall.trials, breaking.overall.collapsed) == (2, 1)


def test_runs_that_show_nothing_break_and_are_counted_apart() -> None:
    near = np.linspace(0.1, 7.9, 40)
    table = trials(list(near > 6), list(near), ["relu", "sigmoid"] * 20)
    table.loc[near < 2, "outcome"] = "shows nothing"
    breaking = analyze_breaking(table, (NEAR, ACT), np.random.default_rng(0))
    counts = (10, 10, 20)
    assert _counts(breaking.overall) == counts
    first, *_, last = next(p for p in breaking.parameters if p.path == "near").rates
    assert (_counts(first), _counts(last)) == ((0, 10, 10), (10, 0, 10))
    assert all(_total(p.rates) == counts for p in breaking.parameters)
    assert all(_total(sum(pair.rates, ())) == counts for pair in breaking.pairs)


def _counts(rate: BreakRate) -> tuple[int, int, int]:
    return rate.collapsed, rate.shows_nothing, rate.broken


def _total(rates: Sequence[BreakRate]) -> tuple[int, ...]:
    return tuple(np.sum([_counts(rate) for rate in rates], axis=0).tolist())


def test_the_rate_at_a_value_is_that_of_its_level() -> None:
    near = np.linspace(0.1, 7.9, 40)
    table = trials(list(near > 6), list(near), ["relu", "sigmoid"] * 20)
    breaking = analyze_breaking(table, (NEAR, ACT), np.random.default_rng(0))
    assert breaking.rate_at(NEAR, 6.5).name == "6 to 8"
    assert breaking.rate_at(NEAR, 6.5).rate == 1.0
    assert breaking.rate_at(NEAR, 8.0).name == "6 to 8"
    assert breaking.rate_at(ACT, "sigmoid").name == "sigmoid"


def test_where_nothing_broke_the_rate_is_bounded() -> None:
    """None of n with probability 2.5 %: (1 - p)^n = 0.025."""
    near = list(np.linspace(0, 8, 40))
    breaking = analyze_breaking(
        trials([False] * 40, near, ["relu"] * 40), (NEAR, ACT), np.random.default_rng(0)
    )
    bound = 1 - 0.025 ** (1 / 40)
    assert breaking.overall.high == pytest.approx(bound)


@pytest.mark.slow
@pytest.mark.parametrize("rates", [(0.02, 0.02, 0.02, 0.02), (0.1, 0.2, 0.4, 0.6), (0.5,) * 4])
def test_the_intervals_of_all_levels_hold_at_once(
    rates: tuple[float, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of the worst and the safest level of the most significant of three parameters."""
    monkeypatch.setattr(rates_module, "_SAMPLED_TABLES", 9)
    studies, missed = 300, 0
    dimensions = [Dimension(name, "float", 0.0, 4.0, label=name) for name in "abc"]
    rng = np.random.default_rng(0)
    for _ in range(studies):
        levels = rng.integers(0, 4, (48, 3))
        broken = rng.random(48) < np.array(rates)[levels[:, 0]]
        table = pd.DataFrame({d.path: levels[:, j] + 0.5 for j, d in enumerate(dimensions)})
        table = table.assign(phase="explore", outcome=np.where(broken, "collapsed", "trained"))
        breaking = analyze_breaking(table, dimensions, rng)
        truth = {"a": rates, "b": (np.mean(rates),) * 4, "c": (np.mean(rates),) * 4}
        missed += not all(
            rate.low <= p <= rate.high
            for parameter in breaking.parameters
            for rate, p in zip(parameter.rates, truth[parameter.path], strict=True)
        )
    assert missed <= 0.05 * studies


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
    assert not any(rate.broken for rate in sigmoid)
    assert sum(rate.trials for row in pair.rates for rate in row) == 120


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


def test_bins_follow_the_probabilities_of_choices_and_the_levels_of_a_step() -> None:
    act = Dimension("act", "choice", choices=("a", "b", "c"), weights=(0.6, 0.3, 0.1))
    names, bins = bin_levels(act, np.array([act.to_unit(choice) for choice in act.choices]))
    assert (names, bins.tolist()) == (["a", "b", "c"], [0, 1, 2])
    depth = Dimension("depth", "int", 2, 12, step=2)
    names, bins = bin_levels(depth, np.array([depth.to_unit(v) for v in (2, 4, 6, 8, 10, 12)]))
    assert names == ["2", "4 to 6", "8", "10 to 12"]
    assert bins.tolist() == [0, 1, 1, 2, 3, 3]
