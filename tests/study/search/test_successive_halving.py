"""Successive halving: where trials are compared, and which are promoted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from study.search.successive_halving import REDUCTION, is_promoted, rungs

values = st.lists(st.floats(0, 40), min_size=1, max_size=40, unique=True)


def test_rungs_lie_at_a_ninth_and_a_third_of_the_budget() -> None:
    assert rungs(tuple(range(50, 901, 50))) == (100, 300)


def test_one_evaluation_leaves_no_rung() -> None:
    assert rungs((400,)) == ()


@given(st.lists(st.integers(1, 2000), min_size=1, max_size=30, unique=True))
def test_rungs_are_evaluations_before_the_last(steps: list[int]) -> None:
    evaluations = sorted(steps)
    steps_of_rungs = rungs(evaluations)
    assert set(steps_of_rungs) <= set(evaluations[:-1])
    assert list(steps_of_rungs) == sorted(set(steps_of_rungs))


@given(values)
def test_the_best_third_is_promoted(reported: list[float]) -> None:
    promoted = [value for value in reported if is_promoted(value, reported)]
    best = sorted(reported, reverse=True)[: max(len(reported) // REDUCTION, 1)]
    assert sorted(promoted, reverse=True) == best


def test_the_first_at_a_rung_is_promoted() -> None:
    assert is_promoted(3.0, [3.0])
