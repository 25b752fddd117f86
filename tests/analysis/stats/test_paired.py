"""Paired differences: their intervals against SciPy and by simulation, corrections, verdicts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_rel

from analysis.stats.paired import (
    PairedDifference,
    compare_all_pairs,
    compare_pair,
    judge_against_published,
    reverse_difference,
)
from analysis.stats.rates import adjust_holm


def table(rng: np.random.Generator, means: dict[str, float], seeds: int) -> pd.DataFrame:
    """Rows that share what each seed does (sd 2) and have noise of their own (sd 0.5)."""
    shared = 2 * rng.normal(size=seeds)
    return pd.DataFrame(
        {row: mean + shared + 0.5 * rng.normal(size=seeds) for row, mean in means.items()}
    )


def test_interval_and_p_value_are_those_of_the_paired_t_test() -> None:
    values = table(np.random.default_rng(0), {"a": 3.0, "b": 2.5}, 6)
    difference = compare_pair("a", "b", values)
    known = ttest_rel(values["a"], values["b"])
    assert difference.interval == pytest.approx(tuple(known.confidence_interval(0.95)))
    assert difference.p_value == pytest.approx(known.pvalue)
    assert difference.mean == pytest.approx((values["a"] - values["b"]).mean())


@pytest.mark.parametrize("seeds", [2, 3, 8])
def test_the_interval_holds_the_truth_in_19_of_20_experiments(seeds: int) -> None:
    rng = np.random.default_rng(seeds)
    held = 0
    for _ in range(1000):
        interval = compare_pair("a", "b", table(rng, {"a": 1.0, "b": 0.25}, seeds)).interval
        assert interval is not None
        held += interval[0] <= 0.75 <= interval[1]
    assert 925 <= held <= 972  # 950 expected; outside in 1 of 1,000 suites


def test_one_seed_has_a_difference_and_no_interval() -> None:
    difference = compare_pair("a", "b", pd.DataFrame({"a": [3.0], "b": [2.0]}))
    assert (difference.mean, difference.seeds, difference.interval, difference.p_value) == (
        1.0,
        1,
        None,
        None,
    )
    assert difference.verdict(1.0) == "open"


def test_a_seed_without_both_values_is_left_out() -> None:
    values = pd.DataFrame({"a": [3.0, np.nan, 4.0, 5.0], "b": [2.0, 1.0, np.nan, 3.0]})
    difference = compare_pair("a", "b", values)
    assert (difference.seeds, difference.mean) == (2, 1.5)
    lost = compare_pair("a", "b", pd.DataFrame({"a": [np.nan], "b": [1.0]}))
    assert lost.seeds == 0
    assert np.isnan(lost.mean)


def test_ties_have_p_value_1_and_constant_differences_p_value_0() -> None:
    same = compare_pair("a", "b", pd.DataFrame({"a": [1.0, 2.0], "b": [1.0, 2.0]}))
    assert (same.mean, same.interval, same.p_value) == (0.0, (0.0, 0.0), 1.0)
    assert same.verdict(1.0) == "open"
    shifted = compare_pair("a", "b", pd.DataFrame({"a": [1.5, 2.5], "b": [1.0, 2.0]}))
    assert (shifted.interval, shifted.p_value) == ((0.5, 0.5), 0.0)
    assert shifted.verdict(1.0) == "agrees"


def test_holm_correction_of_a_known_example() -> None:
    np.testing.assert_allclose(adjust_holm([0.03, 0.01, 0.04, 0.02]), [0.06, 0.04, 0.06, 0.06])
    np.testing.assert_allclose(adjust_holm([0.001, 0.6, 0.7]), [0.003, 1.0, 1.0])
    assert adjust_holm([]) == []


def test_with_equal_rows_holm_rejects_in_at_most_one_experiment_of_twenty() -> None:
    rng = np.random.default_rng(7)
    alike = dict.fromkeys("abcd", 0.0)
    wrong = sum(
        any(
            d.holm_p_value is not None and d.holm_p_value < 0.05
            for d in compare_all_pairs(table(rng, alike, 5))
        )
        for _ in range(200)
    )
    assert wrong <= 19  # at most 10 expected; more than 19 in 1 of 300 suites


def test_the_correction_counts_pairs_that_cannot_be_tested() -> None:
    values = pd.DataFrame({"a": [1.0, 1.2, 1.1], "b": [0.0, 0.1, 0.3], "c": [np.nan, 5.0, np.nan]})
    differences = compare_all_pairs(values)
    assert [(d.first, d.second) for d in differences] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert differences[0].p_value is not None
    assert differences[0].holm_p_value == pytest.approx(3 * differences[0].p_value)
    assert (differences[1].holm_p_value, differences[2].holm_p_value) == (None, None)


@pytest.mark.parametrize(
    ("interval", "verdict"),
    [((0.1, 2.0), "agrees"), ((-2.0, -0.1), "disagrees"), ((-0.1, 2.0), "open")],
)
def test_a_verdict_needs_an_interval_that_excludes_zero(
    interval: tuple[float, float], verdict: str
) -> None:
    difference = PairedDifference("a", "b", 3, sum(interval) / 2, interval, 0.01)
    assert difference.verdict(1.0) == verdict
    assert reverse_difference(difference).verdict(-1.0) == verdict
    assert reverse_difference(reverse_difference(difference)) == difference


def test_pairs_are_in_the_published_order_widest_gap_first() -> None:
    values = table(np.random.default_rng(1), {"worst": 1.0, "best": 9.0, "middle": 4.0}, 4)
    published = {"worst": 1.1, "best": 3.0, "middle": 2.0}
    judgements = judge_against_published(compare_all_pairs(values), published)
    pairs = [(j.difference.first, j.difference.second) for j in judgements]
    assert pairs == [("best", "worst"), ("best", "middle"), ("middle", "worst")]
    assert [j.published for j in judgements] == pytest.approx([1.9, 1.0, 0.9])
    assert [j.verdict for j in judgements] == ["agrees"] * 3
    assert all(j.difference.mean > 0 for j in judgements)
    assert (
        len(judge_against_published(compare_all_pairs(values), published | {"middle": 1.1})) == 2
    )  # one is a tie


def test_a_verdict_that_does_not_survive_the_correction_is_not_significant() -> None:
    sure, unsure = (
        PairedDifference("a", "b", 3, 1.0, (0.1, 1.9), 0.03, corrected) for corrected in (0.04, 0.2)
    )
    verdicts = [judge_against_published([d], {"a": 2.0, "b": 0.0})[0] for d in (sure, unsure)]
    assert [(j.verdict, j.significant) for j in verdicts] == [("agrees", True), ("agrees", False)]
