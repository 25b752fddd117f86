"""Display of a running study: a live view on a terminal, else one line of text per trial."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from study.monitor.progress import (
    UNKNOWN,
    StepRate,
    StudyProgress,
    TrivialPsnrs,
    study_progress,
)
from study.monitor.screen import Shown, render_progress
from study.monitor.wording import progress_line, trial_line
from study.protocol.lost_output import discard_lost_output
from study.spec.study_spec import StudySpec

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

_REDRAW_SECONDS = 0.5
_TIME_SHARE = 0.02
"""Share of a launch's time that the view may take, as it goes through all trials."""
_LINE_SECONDS = 60.0
"""Between two lines of plain text while no trial ends."""


class StudyConsole(Console):
    """A console that stays silent once its pipe is closed, as by Ctrl-C for `... | tee log`."""

    def __init__(self, *, force_terminal: bool | None = None, shows_trials: bool = True) -> None:
        """shows_trials: whether a `LiveView` prints trials and progress, not notes alone"""
        super().__init__(force_terminal=force_terminal)
        self.shows_trials = shows_trials

    def on_broken_pipe(self) -> None:
        """Goes on: Rich would end the driver before its trials have saved their checkpoints."""
        discard_lost_output()


class LiveView:
    """Shows a study's progress while it changes. Use it as a context."""

    def __init__(
        self,
        console: Console,
        name: str,
        spec: StudySpec,
        trivial_psnrs: TrivialPsnrs = UNKNOWN,
    ) -> None:
        self._console = console
        self._name = name
        self.spec = spec
        """Says how many trials are planned, which may change while a study runs."""
        self._trivial_psnrs = trivial_psnrs
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._due = 0.0
        self._last_line = 0.0
        self._rate = StepRate()
        self._printed: set[int] | None = None
        self.waiting_for = ""
        """What all trials wait for, in words; empty while one trains."""
        self._printed_waiting_for = ""
        self._printed_line = ""

    def __enter__(self) -> LiveView:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def is_due(self) -> bool:
        """Whether `show` would show anything now."""
        return time.monotonic() >= self._due

    def show(
        self,
        trials: Sequence[FrozenTrial],
        at_once: bool = False,
        is_interrupted: bool = False,
        running: Collection[int] | None = None,
    ) -> None:
        """Shows the progress of these trials, unless it was shown a moment ago.

        is_interrupted: whether no process runs the study any more
        running: the trials that train now, where that is known
        """
        if not (at_once or self.is_due()):
            return
        clock = time.monotonic()
        progress = study_progress(trials, self.spec, self._trivial_psnrs, is_interrupted, running)
        rate = None if is_interrupted else self._rate.update(clock, progress)
        seconds_left = progress.steps_left / rate if rate and progress.steps_left > 0 else None
        if self._live:
            width, height = self._console.size
            shown = Shown(self._trivial_psnrs, rate, seconds_left, self.waiting_for)
            screen = render_progress(self._name, progress, self.spec, shown, width, height - 1)
            # The cursor stays on an empty line: the ^C that a terminal echoes there would wrap
            # after a full one, and leave the first line of the screen behind.
            screen = Group(screen, Text())
            self._live.update(screen, refresh=True)
        elif getattr(self._console, "shows_trials", True):
            self._print_news(clock, progress, seconds_left, at_once)
        pause = (time.monotonic() - clock) / _TIME_SHARE
        if self._live:
            self._due = clock + max(pause, _REDRAW_SECONDS)
        elif pause > _REDRAW_SECONDS:  # lines of a small study are printed without delay
            self._due = clock + pause

    def note(self, text: str) -> None:
        """Prints a line that stays above the live view."""
        self._console.print(f"{self._name}: {text}", soft_wrap=True, highlight=False, markup=False)

    def _print_news(
        self, clock: float, progress: StudyProgress, seconds_left: float | None, at_once: bool
    ) -> None:
        """Prints the trials that have ended since the last call, and the progress if it is due."""
        before = self._printed
        self._printed = {e.number for e in progress.ended}
        news = [e for e in progress.ended if before is not None and e.number not in before]
        for trial in news:
            self.note(trial_line(trial, self.spec.objective))
        waits_anew = self.waiting_for != self._printed_waiting_for
        if (
            news
            or at_once
            or before is None
            or waits_anew
            or clock > self._last_line + _LINE_SECONDS
        ):
            self._last_line = clock
            self._printed_waiting_for = self.waiting_for
            waiting = f", {self.waiting_for}" if self.waiting_for else ""
            line = progress_line(progress, seconds_left) + waiting
            if line != self._printed_line:
                self.note(line)
            self._printed_line = line
