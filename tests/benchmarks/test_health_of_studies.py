"""What benchmarks/health_of_studies.py counts as a wrong verdict."""

from __future__ import annotations

import health_of_studies
import pytest


@pytest.mark.parametrize(
    ("flagged", "later", "false_alarm", "missed"),
    [
        (True, 12.0, True, False),  # comes to beat the trivial image of 11 dB
        (True, 9.05, False, False),
        (False, 9.05, False, True),  # gains nothing
        (False, 10.0, False, False),  # is only slow
    ],
)
def test_a_verdict_is_wrong_if_training_on_shows_so(
    flagged: bool, later: float, false_alarm: bool, missed: bool
) -> None:
    run = health_of_studies.ContinuedRun("study", "trial", flagged, 9.0, later, 11.0)
    assert (run.false_alarm, run.missed) == (false_alarm, missed)
