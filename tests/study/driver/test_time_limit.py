"""Keeping to the hours of a study: the clock over launches, and how phases are cut."""

from __future__ import annotations

from pathlib import Path

from study.driver.time_limit import Clock, cut_in_proportion
from study.records.study_folder import StudyFolder

PLANNED = {"variant": 0, "explore": 80, "optimize": 10, "replicate": 10}
NONE = dict.fromkeys(PLANNED, 0)


def test_phases_are_cut_in_proportion() -> None:
    assert cut_in_proportion(PLANNED, NONE, 96.0) == PLANNED, "80 + 0.6 x 10 + 10 full trials"
    half = cut_in_proportion(PLANNED, NONE, 48.0)
    assert half == {"variant": 0, "explore": 40, "optimize": 5, "replicate": 5}
    assert cut_in_proportion(PLANNED, NONE, 0.0) == NONE


def test_what_exists_is_not_cut() -> None:
    created = {**NONE, "explore": 60}
    cut = cut_in_proportion(PLANNED, created, 0.0)
    assert cut["explore"] == 60
    assert cut["replicate"] == 6


def test_the_clock_goes_on_in_the_next_launch(folder: StudyFolder, tmp_path: Path) -> None:
    folder.path.mkdir(exist_ok=True)
    Clock(100.0, 25.0, (2.0, 3.0)).write(folder)
    assert Clock.read(folder) == Clock(100.0, 25.0, (2.0, 3.0))
    folder.clock.write_text("{")
    assert Clock.read(folder) == Clock(), "a damaged clock begins anew"
