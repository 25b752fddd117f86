"""Verdicts about values: equivalence is proved, never the absence of a proof."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.findings.value_verdicts import (
    MARGINS,
    choose_margins,
    estimate_trials_to_decide,
    find_edge,
    judge_values,
)
from analysis.stats.intervals import FloatArray

DRAWS = 1000


def losses(means: list[float], spread: float) -> FloatArray:
    """(values, draws) normal losses about these means, from 0 on."""
    drawn = np.random.default_rng(0).normal(size=(len(means), DRAWS))
    return np.asarray(np.maximum(np.array(means)[:, None] + spread * drawn, 0.0))


def test_values_are_as_good_worse_or_open() -> None:
    means = [0.0, 0.01, 0.02, 0.1, 0.5, 0.9]
    margin, verdicts = judge_values(losses(means, 0.02), 0, ordered=True)
    assert margin == 0.1
    assert verdicts == ("as good", "as good", "as good", "open", "worse", "worse")


def test_a_value_that_is_not_proved_worse_is_open_not_as_good() -> None:
    """The inverted test called everything here as good as the best."""
    margin, verdicts = judge_values(losses([0.0, 0.3, 0.5, 0.7], 3.0), 0, ordered=True)
    assert margin == MARGINS[-1]
    assert set(verdicts) == {"open"}


def test_the_margin_is_the_least_that_can_be_proved() -> None:
    for margin in MARGINS:
        drawn = losses([0.0, 0.0, 5.0], margin / 2.5)
        assert judge_values(drawn, 0, ordered=True)[0] == margin


def test_an_ordered_range_has_no_gap() -> None:
    means = [0.0, 2.0, 0.0, 0.0]
    assert judge_values(losses(means, 0.01), 0, ordered=True)[1][2:] == ("open", "open")
    assert judge_values(losses(means, 0.01), 0, ordered=False)[1][2:] == ("as good", "as good")


def test_all_values_of_a_verdict_hold_at_once() -> None:
    """Each of 40 values alone is within the margin in 98 % of the draws; all at once in fewer."""
    apart = np.zeros((40, DRAWS))
    for i in range(40):
        apart[i, 20 * i : 20 * i + 20] = 9.0
    margin, verdicts = judge_values(apart, 0, ordered=True)
    as_good = [i for i, verdict in enumerate(verdicts) if verdict == "as good"]
    assert (apart[as_good] <= margin).all(axis=0).mean() >= 0.975
    assert len(as_good) == 1
    worse = judge_values(9.0 - apart, 0, ordered=False)[1].count("worse")
    assert worse == 1


@pytest.mark.parametrize(
    ("tops", "density", "edge"),
    [
        ([0] * 95 + [9] * 5, [1.0] * 16, "low"),
        ([15] * 95 + [9] * 5, [1.0] * 16, "high"),
        ([0] * 80 + [9] * 20, [1.0] * 16, ""),
        ([15] * 100, [1.0] * 10 + [0.1] * 6, ""),  # runs break there
    ],
)
def test_an_edge_is_named_where_nearly_all_draws_have_their_best_there(
    tops: list[int], density: list[float], edge: str
) -> None:
    assert find_edge(np.array(tops), np.array(density)) == edge


def test_trials_to_decide_grow_with_the_square_of_the_doubt() -> None:
    # A mean loss 0.1 dB off the margin, with nearly that standard deviation: twice as near as
    # two standard deviations, so that four times the trials are needed.
    values = 0.2 + 0.099 * np.tile([-1.0, 1.0], (2, DRAWS // 2))
    needed = estimate_trials_to_decide(values, ("open", "open"), 0.1, 64)
    assert needed == 4 * 64
    assert estimate_trials_to_decide(values, ("worse", "as good"), 0.1, 64) is None
    hopeless = 0.101 + (values - 0.2)
    assert estimate_trials_to_decide(hopeless, ("open", "open"), 0.1, 64) is None


@pytest.mark.parametrize("scale", [1e-7, 1.0, 40.0, 1e5])
def test_margins_of_another_metric_follow_its_spread(scale: float) -> None:
    scores = scale * np.random.default_rng(0).normal(size=400)
    margins = choose_margins(scores)
    assert len(margins) == len(MARGINS)
    assert list(margins) == sorted(margins)
    assert scale / 40 < margins[0] < scale / 10
    assert {f"{margin:e}"[0] for margin in margins} <= {"1", "2", "5"}
    assert margins[-1] / margins[0] == pytest.approx(10, rel=0.01)


def test_trials_that_diverged_leave_the_margins_of_the_others() -> None:
    scores = np.append(np.random.default_rng(0).normal(size=400), [-1e6] * 8)
    assert choose_margins(scores)[0] < 0.1
    assert choose_margins(np.array([0.0] * 9 + [1.0]))[0] > 0
