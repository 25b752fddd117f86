"""Keeping to the hours of a study: the clock over launches, and how phases are cut."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from study.driver.replanning import Replanning
from study.driver.time_limit import Clock, TimeLimit, cut_in_proportion
from study.ledger.ledger import Ledger
from study.records.study_folder import StudyFolder
from study.spec.scenes import label_scenes
from study.spec.study_spec import StudySpec

PLANNED = {"variant": 0, "explore": 80, "optimize": 10, "replicate": 10}
NONE = dict.fromkeys(PLANNED, 0)
LONG_TRIAL = 1000.0
"""Seconds of a trial, beside which those of a test are nothing."""


def make_limit(folder: StudyFolder, spec: StudySpec, trials_left: float) -> TimeLimit:
    """Of 100 hours, of which so many trials are left beside the report, one at a time."""
    folder.path.mkdir(exist_ok=True)
    used = 360_000.0 - 15.0 - trials_left * LONG_TRIAL
    Clock(used, 0.0, (LONG_TRIAL,) * 5).write(folder)
    return TimeLimit(folder, replace(spec, hours=100.0), lambda: 1, time.time())


def test_phases_are_cut_in_proportion() -> None:
    assert cut_in_proportion(PLANNED, NONE, 96.0) == PLANNED, "80 + 0.6 x 10 + 10 full trials"
    half = cut_in_proportion(PLANNED, NONE, 48.0)
    assert half == {"variant": 0, "explore": 40, "optimize": 5, "replicate": 5}
    assert cut_in_proportion(PLANNED, NONE, 0.0) == NONE


def test_what_exists_is_not_cut() -> None:
    cut = cut_in_proportion(PLANNED, {**NONE, "explore": 60}, 0.0)
    assert cut == {"variant": 0, "explore": 60, "optimize": 6, "replicate": 6}


def test_what_fits_follows_from_the_trials_that_ended(folder: StudyFolder, spec: StudySpec) -> None:
    fits = make_limit(folder, spec, 48.5).fit_phases(PLANNED, NONE)
    assert fits == {"variant": 0, "explore": 40, "optimize": 5, "replicate": 5}
    assert make_limit(folder, spec, 200.0).fit_phases(PLANNED, NONE) == PLANNED
    created = {**NONE, "explore": 7}
    too_late = make_limit(folder, spec, 0.9).fit_phases(PLANNED, created)
    assert too_late == created, "no trial is begun that would not end in time"


def test_gpu_hours_count_the_trials_that_run(folder: StudyFolder, spec: StudySpec) -> None:
    folder.path.mkdir()
    Clock(0.0, 3600.0).write(folder)
    paid = replace(spec, budget=5.0, gpus_per_trial=0.5)
    limit = TimeLimit(folder, paid, lambda: 4, time.time())
    hours = (limit.seconds_left + 15.0) / 3600
    assert hours == pytest.approx(2.0, abs=0.01), "4 GPU hours for 4 trials on half a GPU each"


def test_the_clock_goes_on_in_the_next_launch(folder: StudyFolder) -> None:
    folder.path.mkdir()
    Clock(100.0, 25.0, (2.0, 3.0)).write(folder)
    assert Clock.read(folder) == Clock(100.0, 25.0, (2.0, 3.0))
    folder.clock.write_text("{")
    assert Clock.read(folder) == Clock(), "a damaged clock begins anew"


def test_a_phase_without_time_ends_with_the_trials_that_it_has(
    folder: StudyFolder, spec: StudySpec, open_ledger: Callable[[], Ledger]
) -> None:
    limit, ledger = make_limit(folder, spec, 0.5), open_ledger()
    folder.write_spec({"schema": 1, "spec": spec.to_json(), "space": spec.space.to_json()})
    replanning = Replanning(folder, ledger, limit=limit)
    assert replanning.keep_to_time() == "", "a study has one trial at least"
    assert ledger.ask()
    notice = replanning.keep_to_time()
    assert notice == "to finish in time, left out: 2 of 3 explore, 4 of 4 optimise trials"
    assert ledger.ask() is None
    document = folder.read_spec()
    assert document["cut"]["from"] == spec.planned
    assert StudySpec.from_json(document).planned == {**NONE, "try": 0, "explore": 1}
    assert replanning.keep_to_time() == ""


def test_a_point_that_was_begun_on_one_scene_is_run_on_all(
    folder: StudyFolder, spec: StudySpec
) -> None:
    both = replace(spec, scene="", scenes=label_scenes(["bricks", "studio"]), replicates=3)
    planned = {phase: count for phase, count in both.planned.items() if count}
    assert planned == {"explore": 6, "optimize": 8, "replicate": 6}
    created = {"explore": 3, "optimize": 0, "replicate": 0}
    fits = make_limit(folder, both, 5.5).fit_phases(planned, created)
    assert fits == {"explore": 4, "optimize": 4, "replicate": 2}
    too_late = make_limit(folder, both, 1.5).fit_phases(planned, created)
    assert too_late == {**created, "explore": 4}, "one trial takes less, but no point"
    ledger = Ledger(folder, both)
    folder.write_spec({"schema": 1, "spec": both.to_json(), "space": both.space.to_json()})
    replanning = Replanning(folder, ledger, limit=make_limit(folder, both, 1.5))
    assert ledger.ask()
    assert replanning.keep_to_time() == ""
    assert ledger.ask()
    notice = replanning.keep_to_time()
    assert notice == (
        "to finish in time, left out: 4 of 6 explore, 8 of 8 optimise, 6 of 6 replicate trials"
    )
    assert ledger.ask() is None
    ledger.close()
    document = folder.read_spec()
    wanted = document["cut"]["from"]
    assert (wanted["explore"], wanted["optimize"], wanted["replicate"]) == (3, 4, 3)
    assert StudySpec.from_json(document).planned["explore"] == 2
