"""Where simulated studies stop, and how often their intervals then hold the truth."""

from __future__ import annotations

import dataclasses

import pytest
from simulated.looks import FIXED, Interval, Look, SimulatedLooks, stop_at


def interval(path: str, truth: float, half_width: float) -> Interval:
    return Interval(path, truth, 0.4, 0.4 - half_width, 0.4 + half_width, 1, 1, 1)


def look(trials: int, half_width: float, ranked: bool = True) -> Look:
    top = interval("lr", 0.42, half_width), interval("near", 0.1, half_width)
    return Look(trials, trials, ranked, 0.9, 0.1, top)


LOOKS = (look(32, 0.05, ranked=False), look(48, 0.2), look(64, 0.1), look(FIXED, 0.08))


@pytest.mark.parametrize(
    ("margin", "trials"), [(0.21, 48), (0.11, 64), (0.09, FIXED), (0.01, FIXED)]
)
def test_a_study_stops_at_the_first_ranked_look_that_is_narrow(margin: float, trials: int) -> None:
    stopped = stop_at([one.is_narrow(margin) for one in LOOKS], LOOKS)
    assert stopped.look.trials == trials
    assert stopped.is_settled == (margin > 0.01)


def test_an_interval_holds_the_truth_as_it_is_printed() -> None:
    assert interval("lr", 0.42, 0.1).holds
    assert not interval("lr", 0.1, 0.1).holds
    assert interval("lr", 0.504, 0.1).holds, "0.5 is printed for 0.504"


def test_looks_are_read_back_as_they_were_written() -> None:
    study = SimulatedLooks("friedman", 3, LOOKS)
    assert SimulatedLooks.from_json(dataclasses.asdict(study)) == study
