"""Replicates: configurations run again with another seed, after the other phases."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from nerf.common.errors import InputError
from study.ledger.ledger import Ledger
from study.protocol.messages import Assignment, Outcome
from study.records.provenance import extended_document
from study.search.sobol_design import explore_point, trial_seed
from study.spec.existing_study import require_same_study, with_more_trials
from study.spec.study_spec import StudySpec
from tests.study.trials import curve

Open = Callable[[], Ledger]


@pytest.fixture
def spec(spec: StudySpec) -> StudySpec:
    """Three explored and four optimised trials, and six replicates."""
    return dataclasses.replace(spec, replicates=6)


def finish(ledger: Ledger, assignment: Assignment, psnr: float, state: str = "completed") -> None:
    ledger.report(assignment.number, [(p["step"], p["psnr"]) for p in curve(psnr)])
    ledger.tell(assignment.number, Outcome(state, "", ledger.spec.steps, psnr))


def run_others(ledger: Ledger) -> list[Assignment]:
    """The explored and optimised trials, ended at 10, 11, ... dB."""
    others = []
    for psnr in range(10, 17):
        assignment = ledger.ask()
        assert assignment is not None
        finish(ledger, assignment, psnr)
        others.append(assignment)
    return others


def test_an_explored_point_the_best_and_the_default_take_turns(
    open_ledger: Open, spec: StudySpec
) -> None:
    ledger = open_ledger()
    others = run_others(ledger)
    again = list(iter(ledger.ask, None))
    assert [a.phase for a in again] == ["replicate"] * 6
    explored = [explore_point(spec.space, spec.seed, i, spec.nets) for i in range(2)]
    assert [a.values for a in again[0::3]] == explored
    assert [a.values for a in again[1::3]] == [others[-1].values] * 2
    assert [a.values for a in again[2::3]] == [spec.space.defaults()] * 2
    assert not any(a.may_be_pruned for a in again)


def test_the_best_and_the_default_share_seeds_that_no_other_trial_has(open_ledger: Open) -> None:
    ledger = open_ledger()
    others = run_others(ledger)
    again = list(iter(ledger.ask, None))
    assert [a.seed for a in again[1::3]] == [a.seed for a in again[2::3]]
    assert len({a.seed for a in [*others, *again]}) == len(others) + 4


def test_no_replicate_changes_the_best(open_ledger: Open) -> None:
    ledger = open_ledger()
    others = run_others(ledger)
    for psnr in (99.0, 5.0, 98.0, 97.0):
        assignment = ledger.ask()
        assert assignment is not None
        finish(ledger, assignment, psnr)
    again = open_ledger().ask()
    assert again is not None
    assert again.values == others[-1].values


def test_where_the_default_is_the_best_the_next_best_has_its_turns(
    open_ledger: Open, spec: StudySpec
) -> None:
    ledger = open_ledger()
    others = [a for _ in range(7) if (a := ledger.ask())]
    for place, assignment in enumerate(others):
        finish(ledger, assignment, 30.0 if assignment.is_default_config else 20.0 - place)
    again = list(iter(ledger.ask, None))
    assert again[1].values == others[0].values
    assert again[2].values == spec.space.defaults()


def test_a_study_that_explores_nothing_repeats_the_best_and_the_default(
    open_ledger: Open, spec: StudySpec
) -> None:
    ledger = open_ledger()
    ledger.spec = dataclasses.replace(spec, explore=0, optimize=2, replicates=4)
    for psnr in (10.0, 20.0):
        assignment = ledger.ask()
        assert assignment is not None
        finish(ledger, assignment, psnr)
    best, default, *more = iter(ledger.ask, None)
    assert default.values == spec.space.defaults() != best.values
    assert [a.values for a in more] == [best.values, default.values]


def test_replicates_of_the_default_alone_have_different_seeds(
    open_ledger: Open, spec: StudySpec
) -> None:
    ledger = open_ledger()
    ledger.spec = dataclasses.replace(spec, explore=0, optimize=1)
    first = ledger.ask()
    assert first is not None
    finish(ledger, first, 10.0)
    again = list(iter(ledger.ask, None))
    assert [a.values for a in again] == [spec.space.defaults()] * 6
    assert len({a.seed for a in [first, *again]}) == 7


def test_replicates_of_an_earlier_version_alternate(open_ledger: Open, spec: StudySpec) -> None:
    """They repeat explored points and the best three; those added later follow the new order."""
    document = {"space": spec.space.to_json(), "spec": spec.to_json()}
    del document["spec"]["alternating_replicates"]
    ledger = open_ledger()
    ledger.spec = with_more_trials(StudySpec.from_json(document), 0, 3)
    others = run_others(ledger)
    again = list(iter(ledger.ask, None))
    explored = [explore_point(spec.space, spec.seed, i, spec.nets) for i in range(3)]
    assert [a.values for a in again[0:6:2]] == explored
    assert [a.values for a in again[1:6:2]] == [others[i].values for i in (-1, -2, -3)]
    assert [a.seed for a in again[:6]] == [trial_seed(spec.seed, number) for number in range(7, 13)]
    assert [a.values for a in again[6:]] == [
        explored[0], others[-1].values, spec.space.defaults()
    ]  # fmt: skip


def test_the_best_are_not_repeated_before_the_others_have_ended(open_ledger: Open) -> None:
    ledger = open_ledger()
    others = [a for _ in range(7) if (a := ledger.ask())]
    assert ledger.ask() is not None  # an explored point is known
    assert ledger.ask() is None
    for place, assignment in enumerate(others):
        finish(ledger, assignment, 20.0 - place)
    best = ledger.ask()
    assert best is not None
    assert best.values == others[0].values


def test_the_best_are_completed_trials_and_not_replicates(open_ledger: Open) -> None:
    ledger = open_ledger()
    others = [a for _ in range(7) if (a := ledger.ask())]
    for place, assignment in enumerate(others):
        finish(ledger, assignment, 20.0 + place, "completed" if place < 1 else "collapsed")
    first = ledger.ask()
    assert first is not None
    finish(ledger, first, 99.0)
    again = list(iter(ledger.ask, None))
    assert again[0].values == again[3].values == others[0].values


def test_where_nothing_completed_explored_points_are_repeated(
    open_ledger: Open, spec: StudySpec
) -> None:
    ledger = open_ledger()
    for _ in range(7):
        assigned = ledger.ask()
        assert assigned is not None
        ledger.tell(assigned.number, Outcome("failed", "why not"))
    points = [explore_point(spec.space, spec.seed, i, spec.nets) for i in range(2)]
    again = list(iter(ledger.ask, None))
    assert [a.values for a in again[0::3]] == [a.values for a in again[1::3]] == points


def test_a_new_driver_resumes_the_same_replicates(open_ledger: Open) -> None:
    ledger = open_ledger()
    run_others(ledger)
    running = [ledger.ask() for _ in range(2)]
    ledger = open_ledger()
    assert ledger.running() == running
    assert [a.number for a in iter(ledger.ask, None)] == [9, 10, 11, 12]


def test_an_extended_study_explores_further_before_more_replicates(
    open_ledger: Open, spec: StudySpec
) -> None:
    ledger = open_ledger()
    run_others(ledger)
    for assignment in iter(ledger.ask, None):
        finish(ledger, assignment, 5.0)
    ledger.spec = with_more_trials(spec, 2, 3)
    new = [a for _ in range(2) if (a := ledger.ask())]
    assert [a.phase for a in new] == ["explore", "explore"]
    for assignment in new:
        finish(ledger, assignment, 30.0)
    again = list(iter(ledger.ask, None))
    assert [a.phase for a in again] == ["replicate"] * 3
    assert again[0].values == explore_point(spec.space, spec.seed, 2, spec.nets)
    assert again[1].values == new[0].values  # the best has changed


def test_replicates_alone_may_be_added_and_study_json_records_it(spec: StudySpec) -> None:
    longer = with_more_trials(spec, 0, 3)
    assert (longer.explore, longer.replicates) == (spec.explore, 9)
    plain = {"space": spec.space.to_json(), "spec": spec.to_json(), "versions": {}}
    (entry,) = extended_document(plain, longer, [])["extended"]
    assert (entry["from"]["replicate"], entry["to"]["replicate"]) == (6, 9)


def test_a_study_json_without_replicates_has_none(spec: StudySpec) -> None:
    old = {"space": spec.space.to_json(), "spec": spec.to_json()}
    del old["spec"]["replicates"], old["spec"]["alternating_replicates"]
    assert StudySpec.from_json(old).replicates == 0


def test_a_negative_number_and_a_changed_one_are_refused(spec: StudySpec) -> None:
    with pytest.raises(InputError, match="--replicates must be 0 or more, got -1"):
        dataclasses.replace(spec, replicates=-1)
    with pytest.raises(InputError, match="--extend must be at least 1"):
        with_more_trials(spec, 0, 0)
    with pytest.raises(InputError, match="--replicates 7 differs from the study's 6"):
        require_same_study({"replicates": 7}, spec)
