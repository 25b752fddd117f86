"""Where a study stands, and how a person reads it."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from rich.console import Console

from study.ledger import Ledger
from study.messages import Outcome
from study.progress import duration, line, picture, standing
from study.spec import StudySpec


@pytest.fixture
def ledger(open_ledger: Callable[[], Ledger]) -> Ledger:
    """Three trials ended, one in training at step 30 of 90, three to come."""
    ledger = open_ledger()
    for _ in range(4):
        ledger.ask()
    ledger.report(2, [(10, 9.0)])
    ledger.report(3, [(15, 11.0), (30, 12.5)])
    ledger.tell(0, Outcome("completed", "", 90, 20.25))
    ledger.tell(1, Outcome("collapsed", "learnt nothing", 90, 22.0))
    ledger.tell(2, Outcome("pruned", "stopped", 10, 9.0))
    return ledger


def test_standing_counts_trials_and_steps(ledger: Ledger, spec: StudySpec) -> None:
    now = standing(ledger.trials(), spec)
    assert now.done == 3
    assert now.best == (0, 20.25), "a collapsed trial is never the best"
    assert [(r.number, r.step, r.psnr) for r in now.running] == [(3, 30, 12.5)]
    assert now.steps_trained == 90 + 90 + 10 + 30
    assert now.steps_left == 4 * 90 - 30


def test_one_line_says_it_all(ledger: Ledger, spec: StudySpec) -> None:
    assert line(standing(ledger.trials(), spec), 125.0) == (
        "3/7 trials, 1 completed, 1 pruned, 1 collapsed, 1 running, "
        "best 20.25 dB (trial 0), about 2 min left"
    )


def test_the_picture_fits_80_columns(ledger: Ledger, spec: StudySpec) -> None:
    console = Console(width=80, file=io.StringIO(), force_terminal=False)
    console.print(picture("a study", standing(ledger.trials(), spec), spec.steps, 40.0))
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "30/90" in said
    assert "12.50 dB" in said
    assert all(len(row) <= 80 for row in said.splitlines())


@pytest.mark.parametrize(
    ("seconds", "said"), [(5.2, "5 s"), (720, "12 min"), (3 * 3600 + 300, "3 h 05 min")]
)
def test_durations_as_a_person_says_them(seconds: float, said: str) -> None:
    assert duration(seconds) == said
