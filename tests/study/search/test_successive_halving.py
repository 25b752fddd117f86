"""Successive halving: where trials are compared, and which are promoted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from study.search.successive_halving import REDUCTION, is_promoted, reached_rung, rungs

values = st.lists(st.floats(0, 40), min_size=1, max_size=40, unique=True)


def test_rungs_lie_at_a_ninth_and_a_third_of_the_budget() -> None:
    assert rungs(900) == (100, 300)


def test_one_evaluation_reaches_no_rung() -> None:
    assert reached_rung(0, 400, rungs(400), 400) is None


@given(st.lists(st.integers(1, 2000), min_size=1, max_size=30, unique=True))
def test_rungs_are_reached_by_the_first_evaluations_at_or_after_them(steps: list[int]) -> None:
    evaluations = sorted(steps)
    budget = evaluations[-1]
    reached = {
        step
        for before, step in zip([0, *evaluations], evaluations, strict=False)
        if reached_rung(before, step, rungs(budget), budget) is not None
    }
    first = (next(s for s in evaluations if s >= budget / share) for share in (9, 3))
    assert reached == {step for step in first if step < budget}


@given(values)
def test_the_best_third_is_promoted(reported: list[float]) -> None:
    promoted = [value for value in reported if is_promoted(value, reported)]
    best = sorted(reported, reverse=True)[: max(len(reported) // REDUCTION, 1)]
    assert sorted(promoted, reverse=True) == best


def test_the_first_at_a_rung_is_promoted() -> None:
    assert is_promoted(3.0, [3.0])
