"""A study's progress, computed from the trials in its journal."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from nerf.config.parameters import Value
from study.records.outcomes import (
    SHOWS_NOTHING,
    TRAINED,
    UNKNOWN_TRIVIAL_PSNR,
    outcome_of,
    shows_nothing,
)
from study.records.schema import PHASES, SCENE_COLUMN
from study.search.trial_values import (
    NERF_PSNR,
    is_broken,
    latest_value,
    scene_of,
    trial_values,
)
from study.spec.study_spec import StudySpec
from study.trainers.objective import PSNR, Objective

if TYPE_CHECKING:
    import pandas as pd
    from optuna.trial import FrozenTrial

# The share of the full budget that a trial of a phase is expected to train. Successive halving
# stops some of the optimise phase early: as measured where configurations were better than most
# explored ones. It counts as much as one ended trial.
_EXPECTED_BUDGET_SHARE = {"optimize": 0.6}

TrivialPsnrs = Mapping[str, float]
"""PSNR (dB) of the best trivial image by scene, as `StudyFolder.trivial_psnrs` gives them."""

UNKNOWN: TrivialPsnrs = MappingProxyType({})

_FALLING_DB = 1.0
"""A trial is falling if its PSNR is this far below its own best."""


def trivial_psnr(trivial_psnrs: TrivialPsnrs, scene: str) -> float:
    """Of one scene; `UNKNOWN_TRIVIAL_PSNR` if it was not recorded."""
    return trivial_psnrs.get(scene, UNKNOWN_TRIVIAL_PSNR)


@dataclass(frozen=True)
class RunningTrial:
    """A trial in training: its latest step, and its metric so far (of NeRFs, validation PSNR)."""

    number: int
    phase: str
    step: int
    curve: tuple[float, ...]
    values: dict[str, Value]
    failures: int
    """Failed attempts before the present one."""
    scene: str = ""
    """The label of its scene, in a study of several."""

    @property
    def value(self) -> float | None:
        return self.curve[-1] if self.curve else None

    def health(self, trivial_psnr: float, objective: Objective = PSNR) -> str:
        """A word or two; `trivial_psnr` is the PSNR (dB) of the best trivial image."""
        if self.value is None:
            return f"attempt {self.failures + 1}" if self.failures else "starting"
        if not math.isfinite(self.value):
            return "diverged"
        if objective != PSNR:
            return "learning"
        if shows_nothing(self.value, trivial_psnr):
            return f"{SHOWS_NOTHING} yet"
        return "falling" if self.value < max(self.curve) - _FALLING_DB else "learning"


@dataclass(frozen=True)
class EndedTrial:
    """A trial that has ended.

    outcome: one of `OUTCOMES`; value: of the metric, None if none was measured; scene: the label
    of one of several
    """

    number: int
    phase: str
    outcome: str
    reason: str
    value: float | None
    values: dict[str, Value]
    scene: str = ""


@dataclass(frozen=True)
class StudyProgress:
    """How far a study is."""

    planned: dict[str, int]
    """The number of trials of each phase."""
    ended: tuple[EndedTrial, ...]
    running: tuple[RunningTrial, ...]
    bests: tuple[EndedTrial, ...]
    """On each scene the completed trial of best metric; it shows nothing only if none trained.

    Never a replicate, as in the report: another seed of a configuration is no better one.
    """
    steps_trained: int
    steps_left: float
    """Expected number, if coming trials train as long as the ended ones of their phase."""
    objective: Objective = PSNR
    """The metric."""
    is_exploring: bool = False
    """Whether a look at the explored trials may add more."""
    is_interrupted: bool = False
    """Whether no process runs the study, so that its `running` trials are interrupted ones."""
    may_wait: bool = False
    """Whether some of `running` may wait to be resumed: the journal does not tell them apart."""

    @property
    def running_word(self) -> str:
        """What the trials in `running` are."""
        if self.is_interrupted and self.running:
            return "interrupted"
        return "under way" if self.may_wait else "running"

    @property
    def share_done(self) -> float:
        """The trained part, in [0, 1], of all steps that the study is expected to train."""
        total = self.steps_trained + self.steps_left
        return self.steps_trained / total if total and not self.is_finished else 1.0

    @property
    def queued(self) -> int:
        return sum(self.planned.values()) - len(self.ended) - len(self.running)

    @property
    def is_finished(self) -> bool:
        return len(self.ended) >= sum(self.planned.values()) and not self.is_exploring

    def count(self, phase: str | None = None, outcome: str | None = None) -> int:
        """The number of ended trials, of one phase or outcome if given."""
        return sum(phase in (None, e.phase) and outcome in (None, e.outcome) for e in self.ended)


class StepRate:
    """Measures how fast a launch trains."""

    def __init__(self) -> None:
        self._start: tuple[float, int] | None = None

    def update(self, clock: float, progress: StudyProgress) -> float | None:
        """Steps per second up to time `clock` (s), since the first step; None before it."""
        if self._start is None or progress.steps_trained == self._start[1]:
            self._start = (clock, progress.steps_trained)  # leaves out the time that Ray starts
            return None
        start_clock, start_steps = self._start
        return (progress.steps_trained - start_steps) / max(clock - start_clock, 1e-9)


def study_progress(
    trials: Sequence[FrozenTrial],
    spec: StudySpec,
    trivial_psnrs: TrivialPsnrs = UNKNOWN,
    is_interrupted: bool = False,
    running: Collection[int] | None = None,
) -> StudyProgress:
    """The progress of a study whose journal holds these trials.

    is_interrupted: whether no process runs it
    running: the trials that train now, where that is known: others that have begun are queued
    """
    from optuna.trial import TrialState

    finished = [t for t in trials if t.state.is_finished()]
    ended = tuple(_ended_trial(t, trivial_psnrs) for t in finished)
    begun = tuple(_running_trial(t) for t in trials if t.state == TrialState.RUNNING)
    return StudyProgress(
        planned=spec.planned,
        ended=ended,
        running=begun if running is None else tuple(b for b in begun if b.number in running),
        bests=_bests(ended, spec),
        objective=spec.objective,
        steps_trained=sum(t.user_attrs["steps_done"] for t in finished)
        + sum(b.step for b in begun),
        steps_left=_steps_left(finished, begun, spec),
        is_exploring=spec.is_exploring,
        is_interrupted=is_interrupted,
        may_wait=running is None and bool(begun),
    )


def table_progress(
    trials: pd.DataFrame, spec: StudySpec, trivial_psnrs: TrivialPsnrs = UNKNOWN
) -> StudyProgress:
    """The progress of a study by its trials.parquet, which does not show running trials.

    Use it for a copy of a study without its journal.
    """
    metric = spec.objective.column
    quality = metric if spec.trainer and PSNR not in spec.objectives else PSNR.column
    paths = [dimension.path for dimension in spec.space.dimensions]
    ended = tuple(
        EndedTrial(
            number=row["number"],
            phase=row["phase"],
            outcome=outcome_of(
                row["state"], row[quality], trivial_psnr(trivial_psnrs, row.get(SCENE_COLUMN, ""))
            ),
            reason=row["reason"],
            value=row[metric] if math.isfinite(row[metric]) else None,
            values=spec.space.acting({path: row[path] for path in paths}),
            scene=row.get(SCENE_COLUMN, ""),
        )
        for row in trials.to_dict("records")
    )
    return StudyProgress(
        planned=spec.planned,
        ended=ended,
        running=(),
        bests=_bests(ended, spec),
        objective=spec.objective,
        steps_trained=int(trials["steps_done"].sum()),
        steps_left=0.0,
    )


def _steps_left(
    finished: Sequence[FrozenTrial], begun: Sequence[RunningTrial], spec: StudySpec
) -> float:
    left = float(len(begun) * spec.steps - sum(b.step for b in begun))
    for phase in PHASES:
        steps = [t.user_attrs["steps_done"] for t in finished if t.user_attrs["phase"] == phase]
        # The mean over ended trials and one imaginary trial of the expected length.
        expected = _EXPECTED_BUDGET_SHARE.get(phase, 1.0) * spec.steps
        mean = (sum(steps) + expected) / (len(steps) + 1)
        started = len(steps) + sum(b.phase == phase for b in begun)
        left += max(spec.planned[phase] - started, 0) * mean
    return left


def _bests(ended: Sequence[EndedTrial], spec: StudySpec) -> tuple[EndedTrial, ...]:
    best = (_best([e for e in ended if e.scene == label], spec.objective) for label in spec.labels)
    return tuple(trial for trial in best if trial is not None)


def _best(ended: Sequence[EndedTrial], objective: Objective) -> EndedTrial | None:
    explored = [e for e in ended if e.value is not None and e.phase != "replicate"]
    for outcome in (TRAINED, SHOWS_NOTHING):
        completed = [e for e in explored if e.outcome == outcome]
        if completed:
            return max(completed, key=lambda e: objective.score(e.value or 0.0))
    return None


def _running_trial(trial: FrozenTrial) -> RunningTrial:
    points = sorted(trial.intermediate_values.items())
    return RunningTrial(
        number=trial.number,
        phase=trial.user_attrs["phase"],
        step=points[-1][0] if points else 0,
        curve=tuple(value for _, value in points),
        values=trial_values(trial),
        failures=len(trial.user_attrs.get("failures", [])),
        scene=scene_of(trial),
    )


def _ended_trial(trial: FrozenTrial, trivial_psnrs: TrivialPsnrs) -> EndedTrial:
    attributes = trial.user_attrs
    value = latest_value(trial)
    trivial = trivial_psnr(trivial_psnrs, scene_of(trial))
    outcome = outcome_of(attributes["state"], attributes.get(NERF_PSNR, value), trivial)
    if outcome == TRAINED and is_broken(trial):  # by a PSNR that is not the first of its metrics
        outcome = SHOWS_NOTHING
    return EndedTrial(
        number=trial.number,
        phase=attributes["phase"],
        outcome=outcome,
        reason=attributes["reason"],
        value=value,
        values=trial_values(trial),
        scene=scene_of(trial),
    )
