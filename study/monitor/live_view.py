"""Display of a running study: a live view on a terminal, else one line of text per trial."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from study.monitor.progress import (
    RunningTrial,
    StepRate,
    StudyProgress,
    format_values,
    progress_line,
    study_progress,
    trial_line,
)
from study.protocol.lost_output import discard_lost_output
from study.records.outcomes import COLLAPSED, FAILED, OUTCOMES, UNKNOWN_TRIVIAL_PSNR
from study.records.schema import PHASES
from study.spec.study_spec import StudySpec

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

_REDRAW_SECONDS = 0.5
_LINE_SECONDS = 60.0
"""Between two lines of plain text while no trial ends."""
_SPARK_BLOCKS = "▁▂▃▄▅▆▇█"
_SPARK_WIDTH = 12
_FIXED_LINES = 19
"""Lines of the live view besides the table of running trials."""
_MAX_TROUBLED_TRIALS = 3
"""Collapsed and failed trials shown."""


def render_progress(
    name: str,
    progress: StudyProgress,
    steps: int,
    seconds_left: float | None = None,
    trivial_psnr: float = UNKNOWN_TRIVIAL_PSNR,
    rate: float | None = None,
    height: int = 24,
    waiting_for: str = "",
) -> RenderableType:
    """Renders the progress of study `name` to a screen of `height` lines and 80 columns or more.

    `steps` is the full budget, `trivial_psnr` the PSNR (dB) of the best trivial image, `rate` the
    steps per second and `waiting_for` what all trials wait for, if they do.
    """
    rows = max(height - _FIXED_LINES, 2)
    parts: list[RenderableType] = [
        Text(f"{name}: {progress_line(progress, seconds_left)}", style="bold"),
        Text(),
        _phase_table(progress),
        Text(_queue_line(progress, rate), style="dim"),
    ]
    if waiting_for:
        parts.append(Text(waiting_for, style="yellow"))
    if progress.running:
        parts += [Text(), _trial_table(progress.running[:rows], steps, trivial_psnr)]
    if len(progress.running) > rows:
        parts.append(Text(f"and {len(progress.running) - rows} more", style="dim"))
    if best := progress.best:
        text = f"best: trial {best.number}, {best.psnr:.2f} dB: {format_values(best.values)}"
        parts += [Text(), _truncate(text, "green", lines=2)]
    troubled = [e for e in progress.ended if e.outcome in (COLLAPSED, FAILED)]
    parts += [_truncate(trial_line(e), "red") for e in troubled[-_MAX_TROUBLED_TRIALS:]]
    return Group(*parts)


def sparkline(curve: Sequence[float]) -> str:
    """The latest values of a curve as blocks, from the lowest of them to the highest."""
    latest = curve[-_SPARK_WIDTH:]
    low, high = min(latest, default=0.0), max(latest, default=0.0)
    if high == low:
        return _SPARK_BLOCKS[0] * len(latest)
    top = len(_SPARK_BLOCKS) - 1
    return "".join(_SPARK_BLOCKS[round((value - low) / (high - low) * top)] for value in latest)


def _phase_table(progress: StudyProgress) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("phase", "trials", "running", *OUTCOMES):
        table.add_column(heading, justify="left" if heading == "phase" else "right")
    for phase in (p for p in PHASES if progress.planned[p]):
        counts = [progress.count(phase, outcome) for outcome in OUTCOMES]
        running = sum(r.phase == phase for r in progress.running)
        row = (phase, f"{sum(counts)}/{progress.planned[phase]}", running, *counts)
        table.add_row(*(str(cell or "·") for cell in row))
    return table


def _trial_table(running: Sequence[RunningTrial], steps: int, trivial_psnr: float) -> Table:
    table = Table(box=None, pad_edge=False, expand=True)
    for heading in ("trial", "step", "PSNR"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True, min_width=_SPARK_WIDTH)
    table.add_column("health", no_wrap=True)
    table.add_column("config", no_wrap=True, overflow="ellipsis", ratio=1)
    for trial in running:
        table.add_row(
            str(trial.number),
            f"{trial.step}/{steps}",
            "·" if trial.psnr is None else f"{trial.psnr:.2f} dB",
            sparkline(trial.curve),
            trial.health(trivial_psnr),
            Text(format_values(trial.values)),
        )
    return table


def _queue_line(progress: StudyProgress, rate: float | None) -> str:
    return f"{progress.queued} queued" + (f", {rate:.0f} steps a second" if rate else "")


def _truncate(text: str, style: str, lines: int = 1) -> RenderableType:
    """Text cut to at most this many lines."""
    if lines == 1:
        return Text(text, style=style, no_wrap=True, overflow="ellipsis")
    return Text(text if len(text) <= 78 * lines else f"{text[: 78 * lines]}…", style=style)


class StudyConsole(Console):
    """A console that stays silent once its pipe is closed, as by Ctrl-C for `... | tee log`."""

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
        trivial_psnr: float = UNKNOWN_TRIVIAL_PSNR,
    ) -> None:
        """`trivial_psnr` is the PSNR (dB) of the best trivial image."""
        self._console = console
        self._name = name
        self._spec = spec
        self._trivial_psnr = trivial_psnr
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._due = 0.0
        self._rate = StepRate()
        self._printed: set[int] | None = None
        self.waiting_for = ""
        """What all trials wait for, in words; empty while one trains."""
        self._printed_waiting_for = ""

    def __enter__(self) -> LiveView:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def show(self, trials: Sequence[FrozenTrial], at_once: bool = False) -> None:
        """Shows the progress of these trials, unless it was shown a moment ago."""
        clock = time.monotonic()
        if clock < self._due and not at_once:
            return
        progress = study_progress(trials, self._spec, self._trivial_psnr)
        rate = self._rate.update(clock, progress)
        seconds_left = progress.steps_left / rate if rate and progress.steps_left > 0 else None
        if self._live:
            self._due = clock + _REDRAW_SECONDS
            screen = render_progress(
                self._name,
                progress,
                self._spec.steps,
                seconds_left,
                self._trivial_psnr,
                rate,
                self._console.size.height,
                self.waiting_for,
            )
            self._live.update(screen, refresh=True)
        else:
            self._print_news(clock, progress, seconds_left, at_once)

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
            self.note(trial_line(trial))
        waits_anew = self.waiting_for != self._printed_waiting_for
        if news or at_once or before is None or waits_anew or clock > self._due + _LINE_SECONDS:
            self._due = clock
            self._printed_waiting_for = self.waiting_for
            waiting = f", {self.waiting_for}" if self.waiting_for else ""
            self.note(progress_line(progress, seconds_left) + waiting)
