"""Where a study stands, found from the ledger's trials alone, and in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from optuna.trial import FrozenTrial, TrialState

from nerf.config.parameters import Value
from study.records.schema import PHASES, STATES
from study.spec.study_spec import StudySpec

# The share of the budget that a trial of a phase is expected to take before any has ended, as
# seen where configurations were better than most explored ones; it counts as one trial.
_EXPECTED = {"optimize": 0.6}

_FALLEN = 1.0  # dB under its own best at which a trial is said to fall


@dataclass(frozen=True)
class Running:
    """A trial in training: its latest step, and its validation PSNR (dB) so far."""

    number: int
    phase: str
    step: int
    curve: tuple[float, ...]
    values: dict[str, Value]
    failures: int
    """How often it broke off before."""

    @property
    def psnr(self) -> float | None:
        return self.curve[-1] if self.curve else None

    def health(self, baseline: float) -> str:
        """In a word or two; `baseline` is the PSNR (dB) of a picture that shows nothing."""
        if self.psnr is None:
            return f"attempt {self.failures + 1}" if self.failures else "starting"
        if self.psnr < baseline:
            return "shows nothing"
        return "falling" if self.psnr < max(self.curve) - _FALLEN else "learning"


@dataclass(frozen=True)
class Ended:
    """A trial that has ended; PSNR in dB, None where none was kept."""

    number: int
    phase: str
    state: str
    reason: str
    psnr: float | None
    values: dict[str, Value]


@dataclass(frozen=True)
class Standing:
    """Where a study stands."""

    planned: dict[str, int]
    """Trials by phase."""
    ended: tuple[Ended, ...]
    running: tuple[Running, ...]
    best: Ended | None
    """The best trial that completed."""
    steps_trained: int
    steps_left: float
    """Expected, if those to come take about as many as those of their phase have taken."""

    @property
    def queued(self) -> int:
        return sum(self.planned.values()) - len(self.ended) - len(self.running)

    def count(self, phase: str | None = None, state: str | None = None) -> int:
        """Ended trials of a phase and a state, or of all."""
        return sum(phase in (None, e.phase) and state in (None, e.state) for e in self.ended)


def standing(trials: Sequence[FrozenTrial], spec: StudySpec) -> Standing:
    """Where the study with these trials stands."""
    finished = [t for t in trials if t.state.is_finished()]
    ended = tuple(_ended(t) for t in finished)
    running = tuple(_running(t) for t in trials if t.state == TrialState.RUNNING)
    alive = [e for e in ended if e.state == "completed" and e.psnr is not None]
    in_training = sum(r.step for r in running)
    planned = spec.planned
    left = float(len(running) * spec.steps - in_training)
    for phase in PHASES:
        taken = [t.user_attrs["steps_done"] for t in finished if t.user_attrs["phase"] == phase]
        expected = _EXPECTED.get(phase, 1.0) * spec.steps
        usual = (sum(taken) + expected) / (len(taken) + 1)
        begun = len(taken) + sum(r.phase == phase for r in running)
        left += max(planned[phase] - begun, 0) * usual
    return Standing(
        planned=planned,
        ended=ended,
        running=running,
        best=max(alive, key=lambda e: e.psnr or 0.0, default=None),
        steps_trained=sum(t.user_attrs["steps_done"] for t in finished) + in_training,
        steps_left=left,
    )


class Pace:
    """How fast a launch trains."""

    def __init__(self) -> None:
        self._began: tuple[float, int] | None = None

    def steps_a_second(self, clock: float, now: Standing) -> float | None:
        """At time `clock`, in seconds, since the launch made its first steps; None before."""
        if self._began is None or now.steps_trained == self._began[1]:
            self._began = (clock, now.steps_trained)  # Ray's start is no training
            return None
        return (now.steps_trained - self._began[1]) / max(clock - self._began[0], 1e-9)


def _running(trial: FrozenTrial) -> Running:
    points = sorted(trial.intermediate_values.items())
    return Running(
        number=trial.number,
        phase=trial.user_attrs["phase"],
        step=points[-1][0] if points else 0,
        curve=tuple(psnr for _, psnr in points),
        values=dict(trial.params),
        failures=len(trial.user_attrs.get("failures", [])),
    )


def _ended(trial: FrozenTrial) -> Ended:
    told = trial.user_attrs
    last = max(trial.intermediate_values, default=None)
    psnr = trial.intermediate_values[last] if last is not None else None
    if trial.values:
        psnr = trial.values[0]
    return Ended(
        trial.number, told["phase"], told["state"], told["reason"], psnr, dict(trial.params)
    )


def line(now: Standing, seconds_left: float | None) -> str:
    """A study's standing in one line."""
    parts = [f"{len(now.ended)}/{sum(now.planned.values())} trials"]
    counts = {state: now.count(state=state) for state in STATES}
    parts += [f"{count} {state}" for state, count in counts.items() if count]
    parts += [f"{len(now.running)} running"] if now.running else []
    parts += [f"best {now.best.psnr:.2f} dB (trial {now.best.number})"] if now.best else []
    parts += [f"about {duration(seconds_left)} left"] if seconds_left is not None else []
    return ", ".join(parts)


def trial_line(trial: Ended) -> str:
    """How one trial ended, in one line."""
    quality = "" if trial.psnr is None else f" with {trial.psnr:.2f} dB"
    reason = f": {trial.reason}" if trial.reason else ""
    return f"trial {trial.number} ({trial.phase}) {trial.state}{quality}{reason}"


def short(values: dict[str, Value]) -> str:
    """A trial's values as a person scans them: `near=2.1 width=64`."""
    return " ".join(
        f"{path.rpartition('.')[2]}={value:.3g}"
        if isinstance(value, float)
        else f"{path.rpartition('.')[2]}={value}"
        for path, value in values.items()
    )


def duration(seconds: float) -> str:
    """`seconds` as a person says it: 40 s, 12 min, 3 h 05 min."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"
