"""What the driver and its trials send each other: assignments, outcomes, failures, messages."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from nerf.config.parameters import Value
from study.trainers.objective import PSNR, Objective

NAN = math.nan

MEASURED = ("step", "seconds", "memory")
"""What a point of a curve has beside its trainer's metrics."""

TRIAL = "trial"
"""The key of a Ray config that holds the trial's `Assignment`."""

MESSAGE = "message"
"""The key of a Ray result that holds a trial's `Message`."""


@dataclass(frozen=True)
class Assignment:
    """One trial to run: its number, its phase and its values."""

    number: int
    phase: str
    """One of `study.records.schema.PHASES`."""
    is_default_config: bool
    """The default configuration, run for comparison."""
    seed: int
    values: dict[str, Value]
    """Those of the parameters that the study varies, by path."""
    started: datetime
    scene: str = ""
    """The label of the scene, of a study of several."""
    attempt: int = 1
    """1, and one more after each failure of the trial; a driver's death does not count."""

    @property
    def may_be_pruned(self) -> bool:
        """Whether the pruner may end the trial early.

        Only what the optimiser proposed: trials of every other phase are compared with one another
        at the same budget.
        """
        return self.phase == "optimize" and not self.is_default_config


@dataclass(frozen=True)
class Outcome:
    """How a trial ended; `state` is one of `study.records.schema.STATES`.

    value: of the metric that the study ranks its trials by; metrics: others, by name
    """

    state: str
    reason: str = ""
    steps_done: int = 0
    value: float = NAN
    metrics: Mapping[str, float] = field(default_factory=dict)
    train_seconds: float = 0.0
    peak_memory: float = NAN
    """MiB."""
    host: str = ""
    device: str = ""

    def to_row(self, metric: str, only: Sequence[str] = ()) -> dict[str, Any]:
        """The outcome's part of a trial's row, in which the value has the name of the metric.

        only: the metrics that the row has, if not all of them
        """
        metrics = {metric: self.value, **self.metrics}
        names = only or tuple(name for name in metrics if name not in MEASURED)
        metrics = {name: metrics.get(name, NAN) for name in names}
        row = {"state": self.state, "reason": self.reason, "steps_done": self.steps_done}
        measured = ("train_seconds", "peak_memory", "host", "device")
        return row | metrics | {name: getattr(self, name) for name in measured}

    def with_final(self, metrics: Mapping[str, float], memory: float, metric: str) -> Outcome:
        """The outcome with its trainer's final figures above those of the last evaluation."""
        peak = self.peak_memory if math.isnan(memory) else memory
        measured = {"seconds": self.train_seconds, "memory": peak}
        final = {metric: self.value, **self.metrics, **measured, **metrics}
        return replace(
            self,
            value=final[metric],
            train_seconds=final["seconds"],
            peak_memory=final["memory"],
            metrics={k: v for k, v in final.items() if k not in (*MEASURED, metric)},
        )

    def values(self, objectives: Sequence[Objective]) -> list[float]:
        """The values of a study's metrics, of which the first is `value`."""
        known = {**self.metrics, "seconds": self.train_seconds, "memory": self.peak_memory}
        return [self.value, *(known.get(o.metric, NAN) for o in objectives[1:])]

    @staticmethod
    def of(row: Mapping[str, Any], objectives: Sequence[Objective]) -> Outcome:
        """The outcome in a trial's row, with the study's metrics, PSNR, and no others."""
        known = {f.name: row[f.name] for f in fields(Outcome) if f.name in row}
        first, *others = objectives
        names = {PSNR.metric, *(o.metric for o in others if not o.is_measured)} - {first.metric}
        metrics = {name: row[name] for name in names if name in row}
        return Outcome(**known, value=row[first.column], metrics=metrics)


@dataclass(frozen=True)
class Failure:
    """Why one attempt at a trial failed, in one line, and the traceback if there is one."""

    reason: str
    traceback: str = ""
    disk_full: bool = False
    """Not the trial's failure: it resumes once there is space."""
    node_lost: bool = False
    """Not the trial's failure: it resumes on another node, without limit."""
    device_failed: bool = False
    """Its process cannot use the GPU any more, or never could."""
    out_of_memory: bool = False
    """For want of memory, so that a smaller trial may succeed."""
    folder_missing: bool = False
    """Not the trial's failure: its node does not see the study folder."""
    place: str = ""
    """The host, or its GPU, where the attempt failed; empty where that is not known."""
    trainer_failed: bool = False
    """A mistake in the trainer's code, with which every trial would fail."""
    batch: str = ""
    """Identifies the process that trained a whole batch, where that failed, not the trial alone."""


@dataclass(frozen=True)
class Message:
    """A running trial's report: its whole curve so far and, at its end, the outcome."""

    number: int
    host: str
    device: str
    curve: tuple[dict[str, Any], ...] = ()
    """Every evaluation so far, as the driver may have died before it received the earlier ones."""
    outcome: Outcome | None = None
    notice: str = ""
    """Something that the person who runs the study should know."""
    failure: Failure | None = None
    """What ended the attempt, instead of an outcome."""
    node: str = ""
    """Ray's id of the machine."""
    gpu: str = ""
    """Indices of the machine's GPUs that the trial may use, as in CUDA_VISIBLE_DEVICES."""

    @property
    def place(self) -> str:
        """The host, or its GPU, where the trial runs."""
        return describe_place(self.host, self.gpu)

    def ended(self, state: str, reason: str, metric: str) -> Outcome:
        """The outcome of a trial that ends after this message, with its curve's last figures."""
        if not self.curve:
            return Outcome(state, reason, host=self.host, device=self.device)
        last = self.curve[-1]
        others = {k: v for k, v in last.items() if k not in (*MEASURED, metric)}
        return Outcome(
            state=state,
            reason=reason,
            steps_done=last["step"],
            value=last.get(metric, NAN),  # an earlier attempt's may lack the memory
            metrics=others,
            train_seconds=last["seconds"],
            peak_memory=last.get("memory", NAN),
            host=self.host,
            device=self.device,
        )


def describe_place(host: str, gpu: str) -> str:
    """A host, or some of its GPUs, for a person."""
    return f"{host}, GPU {gpu}" if gpu else host
