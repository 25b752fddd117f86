"""What a person sees while a study runs: one live picture on a terminal, else a line a trial."""

from __future__ import annotations

import time
from collections.abc import Sequence

from optuna.trial import FrozenTrial
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from study.monitor.progress import Pace, Running, Standing, line, short, standing, trial_line
from study.records.schema import PHASES, STATES
from study.spec.study_spec import StudySpec

_REDRAWN = 0.5  # seconds between two pictures of the live view
_TOLD = 60.0  # seconds between two plain lines where no trial ends
_SPARK = "▁▂▃▄▅▆▇█"
_SPARKS = 12  # characters of a trial's curve
_TALL = 18  # lines of the picture besides those of running trials
_TROUBLES = 3  # trials that did not go well, shown at most


def picture(
    name: str,
    now: Standing,
    steps: int,
    seconds_left: float | None = None,
    baseline: float = 0.0,
    rate: float | None = None,
    height: int = 24,
) -> RenderableType:
    """A study's standing on one screen of `height` lines, 80 columns or more.

    `baseline` is the PSNR (dB) of a picture that shows nothing, `rate` the steps a second.
    """
    rows = max(height - _TALL, 2)
    parts: list[RenderableType] = [
        Text(f"{name}: {line(now, seconds_left)}", style="bold"),
        Text(),
        _phases(now),
        Text(_pace(now, rate), style="dim"),
    ]
    if now.running:
        parts += [Text(), _trials(now.running[:rows], steps, baseline)]
    if len(now.running) > rows:
        parts.append(Text(f"and {len(now.running) - rows} more", style="dim"))
    if now.best:
        best = f"best: trial {now.best.number}, {now.best.psnr:.2f} dB: {short(now.best.values)}"
        parts += [Text(), _cut(best, "green", lines=2)]
    troubled = [e for e in now.ended if e.state in ("collapsed", "failed")]
    parts += [_cut(trial_line(e), "red") for e in troubled[-_TROUBLES:]]
    return Group(*parts)


def spark(curve: Sequence[float]) -> str:
    """A curve's latest values as a line of blocks, from its lowest to its highest."""
    latest = curve[-_SPARKS:]
    low, high = min(latest, default=0.0), max(latest, default=0.0)
    if high == low:
        return _SPARK[0] * len(latest)
    top = len(_SPARK) - 1
    return "".join(_SPARK[round((value - low) / (high - low) * top)] for value in latest)


def _phases(now: Standing) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("phase", "trials", "running", *STATES):
        table.add_column(heading, justify="left" if heading == "phase" else "right")
    for phase in (p for p in PHASES if now.planned[p]):
        counts = [now.count(phase, state) for state in STATES]
        running = sum(r.phase == phase for r in now.running)
        row = (phase, f"{sum(counts)}/{now.planned[phase]}", running, *counts)
        table.add_row(*(str(cell or "·") for cell in row))
    return table


def _trials(running: Sequence[Running], steps: int, baseline: float) -> Table:
    table = Table(box=None, pad_edge=False, expand=True)
    for heading, justify in (("trial", "right"), ("step", "right"), ("PSNR", "right")):
        table.add_column(heading, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    table.add_column("", no_wrap=True, min_width=_SPARKS)
    table.add_column("health", no_wrap=True)
    table.add_column("config", no_wrap=True, overflow="ellipsis", ratio=1)
    for r in running:
        psnr = "·" if r.psnr is None else f"{r.psnr:.2f} dB"
        step = f"{r.step}/{steps}"
        table.add_row(
            str(r.number), step, psnr, spark(r.curve), r.health(baseline), Text(short(r.values))
        )
    return table


def _pace(now: Standing, rate: float | None) -> str:
    pace = f", {rate:.0f} steps a second" if rate else ""
    return f"{now.queued} queued{pace}"


def _cut(text: str, style: str, lines: int = 1) -> RenderableType:
    """Text that takes so many lines at most."""
    if lines == 1:
        return Text(text, style=style, no_wrap=True, overflow="ellipsis")
    return Text(text if len(text) <= 78 * lines else f"{text[: 78 * lines]}…", style=style)


class View:
    """Shows a study's standing as it changes. Use it as a context."""

    def __init__(self, console: Console, name: str, spec: StudySpec, baseline: float = 0.0) -> None:
        """`baseline` is the PSNR (dB) of a picture that shows nothing of the scene's shape."""
        self._console = console
        self._name = name
        self._spec = spec
        self._baseline = baseline
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._due = 0.0
        self._pace = Pace()
        self._told: set[int] | None = None

    def __enter__(self) -> View:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def show(self, trials: Sequence[FrozenTrial], at_once: bool = False) -> None:
        """Draws where these trials stand, unless that was done a moment ago."""
        clock = time.monotonic()
        if clock < self._due and not at_once:
            return
        now = standing(trials, self._spec)
        rate = self._pace.steps_a_second(clock, now)
        left = now.steps_left / rate if rate and now.steps_left > 0 else None
        if self._live:
            self._due = clock + _REDRAWN
            height = self._console.size.height
            drawn = picture(self._name, now, self._spec.steps, left, self._baseline, rate, height)
            self._live.update(drawn, refresh=True)
        else:
            self._tell(clock, now, left, at_once)

    def note(self, text: str) -> None:
        """Says something that must not be overwritten by the next picture."""
        self._console.print(f"{self._name}: {text}", soft_wrap=True, highlight=False, markup=False)

    def _tell(self, clock: float, now: Standing, left: float | None, at_once: bool) -> None:
        before = self._told
        self._told = {e.number for e in now.ended}
        news = [e for e in now.ended if before is not None and e.number not in before]
        for trial in news:
            self.note(trial_line(trial))
        if news or at_once or before is None or clock > self._due + _TOLD:
            self._due = clock
            self.note(line(now, left))
