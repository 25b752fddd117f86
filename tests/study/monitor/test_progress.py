"""A study's progress and its display."""

from __future__ import annotations

import dataclasses
import io
import math
from collections.abc import Callable

import pytest
from rich.console import Console

from study.ledger.ledger import Ledger
from study.monitor.live_view import LiveView
from study.monitor.progress import RunningTrial, study_progress
from study.monitor.screen import Shown, metric_scale, render_progress, sparkline
from study.monitor.wording import format_duration, progress_line
from study.protocol.messages import Outcome
from study.spec.study_spec import StudySpec


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


def test_progress_counts_trials_and_steps(ledger: Ledger, spec: StudySpec) -> None:
    progress = study_progress(ledger.trials(), spec)
    assert (progress.count(), progress.count("explore", "collapsed"), progress.queued) == (3, 1, 3)
    assert [(best.number, best.value) for best in progress.bests] == [(0, 20.25)], (
        "a collapsed trial is never the best"
    )
    assert [(r.number, r.step, r.value) for r in progress.running] == [(3, 30, 12.5)]
    assert progress.steps_trained == 90 + 90 + 10 + 30
    assert progress.steps_left == pytest.approx((90 - 30) + 3 * 0.6 * 90)


def test_the_progress_in_one_line(ledger: Ledger, spec: StudySpec) -> None:
    assert progress_line(study_progress(ledger.trials(), spec, running=[3]), 125.0) == (
        "3/7 trials, 1 trained, 1 collapsed, 1 pruned, 1 running, "
        "best 20.25 dB (trial 0), about 2 min left"
    )


def test_an_interrupted_trial_that_waits_for_a_slot_is_not_called_running(
    ledger: Ledger, spec: StudySpec
) -> None:
    ledger.ask()
    known = study_progress(ledger.trials(), spec, running=[4])
    assert [r.number for r in known.running] == [4]
    assert "1 running" in progress_line(known, None)
    assert known.queued == 3
    unknown = study_progress(ledger.trials(), spec)
    assert "2 under way" in progress_line(unknown, None)
    assert (known.steps_trained, known.steps_left) == (unknown.steps_trained, unknown.steps_left)


def test_queued_trials_are_expected_to_train_as_long_as_ended_ones(
    ledger: Ledger, spec: StudySpec
) -> None:
    ledger.report(3, [(90, 13.0)])
    ledger.tell(3, Outcome("pruned", "stopped", 30, 12.5))
    assert study_progress(ledger.trials(), spec).steps_left == pytest.approx(
        3 * (30 + 0.6 * 90) / 2
    )


def screen_lines(height: int, ledger: Ledger, spec: StudySpec, width: int = 80) -> list[str]:
    console = Console(width=width, height=height, file=io.StringIO(), force_terminal=False)
    progress = study_progress(ledger.trials(), spec, {"": 12.0})
    shown = Shown({"": 12.0}, rate=55.0, seconds_left=40.0)
    console.print(render_progress("a study", progress, spec, shown, width, height))
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined, no-any-return]


def test_the_live_view_fits_80_columns_and_shows_everything(
    ledger: Ledger, spec: StudySpec
) -> None:
    lines = screen_lines(24, ledger, spec)
    screen = "\n".join(lines)
    assert all(len(row) <= 80 for row in lines)
    for part in (
        "30/90",
        "12.50",
        "12.0 to",
        "22.0 dB",
        "▁▁",
        "learning",
        "near",
        "about 40 s left, 55 steps a second",
        "3 queued",
        "best: trial 0, 20.25 dB: near ",
        "trial 1 (explore) collapsed",
    ):
        assert part in screen


def test_the_live_view_fits_the_height_of_the_screen(
    open_ledger: Callable[[], Ledger], spec: StudySpec
) -> None:
    spec = dataclasses.replace(spec, explore=40)
    ledger = open_ledger()
    ledger.spec = spec
    for _ in range(30):
        ledger.ask()
    for number in range(5):
        ledger.tell(number, Outcome("completed", "", 90, 20.0))
    for number in range(5, 12):
        ledger.tell(number, Outcome("failed", "no " * 100, 90, 20.0))
    for height in (24, 40, 60):
        for width in (80, 120, 200):
            lines = screen_lines(height, ledger, spec, width)
            assert len(lines) < height
            assert any("more trials if higher" in row for row in lines) or height > 24


def test_a_wide_screen_shows_reasons_in_full(
    open_ledger: Callable[[], Ledger], spec: StudySpec
) -> None:
    ledger = open_ledger()
    reason = " ".join(f"word{k}" for k in range(40))
    ledger.ask()
    ledger.tell(0, Outcome("collapsed", reason, 90, 9.0))
    wide = screen_lines(50, ledger, spec, 120)
    assert " ".join(line.strip() for line in wide).endswith(reason)
    assert screen_lines(50, ledger, spec, 80)[-1].endswith("…")


def test_a_trial_at_the_trivial_psnr_shows_nothing(
    open_ledger: Callable[[], Ledger], spec: StudySpec
) -> None:
    ledger = open_ledger()
    for number, psnr in enumerate((12.0, 9.0, 12.01)):
        ledger.ask()
        ledger.tell(number, Outcome("completed", "", 90, psnr))
    progress = study_progress(ledger.trials(), spec, {"": 12.0})
    assert [e.outcome for e in progress.ended] == ["shows nothing", "shows nothing", "trained"]
    assert progress_line(progress, None).startswith("3/7 trials, 1 trained, 2 show nothing, best")
    lines = screen_lines(24, ledger, spec)
    heading = next(line for line in lines if line.startswith("phase"))
    explored = next(line for line in lines if line.startswith("explore"))
    place = heading.index("shows nothing") + len("shows nothing")
    assert explored[:place].endswith("2"), "counted below its heading"


def test_without_a_trivial_psnr_no_trial_shows_nothing(ledger: Ledger, spec: StudySpec) -> None:
    assert study_progress(ledger.trials(), spec).count(outcome="shows nothing") == 0


def test_spark_lines_share_the_study_s_scale(ledger: Ledger, spec: StudySpec) -> None:
    assert sparkline([1.0, 2.0, 4.5, 8.0], 1.0, 8.0) == "▁▂▅█"
    assert sparkline([1.0, 2.0, 4.5, 8.0], 1.0, 15.0) == "▁▂▃▅"
    assert sparkline([3.0], 3.0, 3.0) == "▁"
    assert sparkline([], 0.0, 1.0) == ""
    assert sparkline([float("nan"), float("-inf"), 99.0], 0.0, 1.0) == "▁▁█"
    assert len(sparkline(list(range(100)), 0.0, 1.0)) <= 12
    progress = study_progress(ledger.trials(), spec)
    assert metric_scale(progress, {"": 12.0}) == (12.0, 22.0)
    assert metric_scale(progress, {"": float("-inf")}) == (9.0, 22.0)


@pytest.mark.parametrize(
    ("curve", "failures", "word"),
    [
        ((), 0, "starting"),
        ((), 1, "attempt 2"),
        ((9.0,), 0, "shows nothing yet"),
        ((12.0,), 0, "shows nothing yet"),
        ((13.0, 14.0), 0, "learning"),
        ((19.0, 14.0), 0, "falling"),
        ((19.0, math.nan), 0, "diverged"),
    ],
)
def test_health_in_a_word(curve: tuple[float, ...], failures: int, word: str) -> None:
    assert RunningTrial(0, "explore", 5, curve, {}, failures).health(12.0) == word


def test_without_a_terminal_there_is_a_line_a_trial(ledger: Ledger, spec: StudySpec) -> None:
    console = Console(width=80, file=io.StringIO(), force_terminal=False)
    with LiveView(console, "a study", spec) as view:
        view.show(ledger.trials())
        ledger.tell(3, Outcome("completed", "", 90, 22.5))
        view.show(ledger.trials())
        view.show(ledger.trials(), at_once=True)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert lines[1] == "a study: trial 3 (optimise) trained with 22.50 dB"
    assert [row[:18] for row in lines[::2]] == ["a study: 3/7 trial", "a study: 4/7 trial"]
    assert len(lines) == 3


def test_what_trials_wait_for_is_shown_once_it_changes(ledger: Ledger, spec: StudySpec) -> None:
    console = Console(width=120, file=io.StringIO(), force_terminal=False)
    with LiveView(console, "a study", spec) as view:
        for waiting_for in ("", "waiting for 1 CPU", "waiting for 1 CPU", ""):
            view.waiting_for = waiting_for
            view.show(ledger.trials())
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert [line.endswith(", waiting for 1 CPU") for line in lines] == [False, True, False]
    progress = study_progress(ledger.trials(), spec)
    console.print(
        render_progress("a study", progress, spec, Shown(waiting_for="waiting for 2 CPUs"))
    )
    assert "\nwaiting for 2 CPUs\n" in console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("seconds", "text"), [(5.2, "5 s"), (720, "12 min"), (3 * 3600 + 300, "3 h 05 min")]
)
def test_durations_in_words(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text
