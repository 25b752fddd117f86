"""What a person sees while a study runs: where it stands, drawn from the ledger's trials alone."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from optuna.trial import FrozenTrial, TrialState
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from study.folder import PHASES, STATES
from study.spec import StudySpec

_REDRAWN = 0.5  # seconds between two pictures of the live view
_TOLD = 20.0  # seconds between two plain lines
_ROWS = 12  # running trials shown at most, so that the view stays on one screen


@dataclass(frozen=True)
class Running:
    """A trial in training: its latest step and validation PSNR (dB), None before the first."""

    number: int
    phase: str
    step: int
    psnr: float | None


@dataclass(frozen=True)
class Standing:
    """Where a study stands."""

    planned: dict[str, int]
    """Trials by phase."""
    ended: Counter[tuple[str, str]]
    """Trials by phase and state."""
    running: tuple[Running, ...]
    best: tuple[int, float] | None
    """Number and PSNR (dB) of the best trial that completed."""
    steps_trained: int
    steps_left: int
    """If every trial that is still to come gets its full budget."""

    @property
    def done(self) -> int:
        return sum(self.ended.values())


def standing(trials: Sequence[FrozenTrial], spec: StudySpec) -> Standing:
    """Where the study with these trials stands."""
    ended = [t for t in trials if t.state.is_finished()]
    running = tuple(_running(t) for t in trials if t.state == TrialState.RUNNING)
    alive = [t for t in ended if t.user_attrs["state"] == "completed"]
    best = max(alive, key=lambda t: t.values[0], default=None)
    in_training = sum(r.step for r in running)
    return Standing(
        planned={"explore": spec.explore, "optimize": spec.optimize},
        ended=Counter((t.user_attrs["phase"], t.user_attrs["state"]) for t in ended),
        running=running,
        best=None if best is None else (best.number, best.values[0]),
        steps_trained=sum(t.user_attrs["steps_done"] for t in ended) + in_training,
        steps_left=(spec.trials - len(ended)) * spec.steps - in_training,
    )


def _running(trial: FrozenTrial) -> Running:
    step = max(trial.intermediate_values, default=0)
    psnr = trial.intermediate_values.get(step)
    return Running(trial.number, trial.user_attrs["phase"], step, psnr)


def line(now: Standing, seconds_left: float | None) -> str:
    """A study's standing in one line."""
    counts = Counter[str]()
    for (_, state), count in now.ended.items():
        counts[state] += count
    parts = [f"{now.done}/{sum(now.planned.values())} trials"]
    parts += [f"{counts[state]} {state}" for state in STATES if counts[state]]
    parts += [f"{len(now.running)} running"] if now.running else []
    parts += [f"best {now.best[1]:.2f} dB (trial {now.best[0]})"] if now.best else []
    parts += [f"about {duration(seconds_left)} left"] if seconds_left is not None else []
    return ", ".join(parts)


def picture(name: str, now: Standing, steps: int, seconds_left: float | None) -> RenderableType:
    """A study's standing as a table of phases and one of the trials in training."""
    phases = Table(box=None, pad_edge=False)
    for heading in ("phase", "trials", "running", *STATES):
        phases.add_column(heading, justify="left" if heading == "phase" else "right")
    for phase in PHASES:
        counts = [now.ended[phase, state] for state in STATES]
        running = sum(r.phase == phase for r in now.running)
        row = (phase, f"{sum(counts)}/{now.planned[phase]}", running, *counts)
        phases.add_row(*(str(cell or "·") for cell in row))
    trials = Table(box=None, pad_edge=False)
    for heading in ("trial", "phase", "step", "PSNR"):
        trials.add_column(heading, justify="left" if heading == "phase" else "right")
    for r in now.running[:_ROWS]:
        psnr = "·" if r.psnr is None else f"{r.psnr:.2f} dB"
        trials.add_row(str(r.number), r.phase, f"{r.step}/{steps}", psnr)
    title = Text(f"{name}: {line(now, seconds_left)}", style="bold")
    return Group(title, Text(), phases, Text(), trials)


def duration(seconds: float) -> str:
    """`seconds` as a person says it: 40 s, 12 min, 3 h 05 min."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"


class View:
    """Shows a study's standing: one live picture on a terminal, else a plain line now and then."""

    def __init__(self, console: Console, name: str, spec: StudySpec) -> None:
        self._console = console
        self._name = name
        self._spec = spec
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._due = 0.0
        self._began: tuple[float, int] | None = None

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
        self._due = clock + (_REDRAWN if self._live else _TOLD)
        now = standing(trials, self._spec)
        left = self._seconds_left(clock, now)
        if self._live:
            self._live.update(picture(self._name, now, self._spec.steps, left), refresh=True)
        else:
            self._console.print(f"{self._name}: {line(now, left)}", soft_wrap=True, highlight=False)

    def note(self, text: str) -> None:
        """Says something that must not be overwritten by the next picture."""
        self._console.print(f"{self._name}: {text}", soft_wrap=True, highlight=False, markup=False)

    def _seconds_left(self, clock: float, now: Standing) -> float | None:
        """At this launch's pace; None until it has one."""
        if self._began is None:
            self._began = (clock, now.steps_trained)
        trained = now.steps_trained - self._began[1]
        if trained <= 0 or now.steps_left <= 0:
            return None
        return now.steps_left * (clock - self._began[0]) / trained
