"""What a reader returns: the trials of another tool's sweep, as its record states them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from study.spec.space import Dimension

State = Literal["completed", "pruned", "failed", "running"]

Role = Literal["setting", "outcome", "other"]

Setting = str | bool | int | float | None


@dataclass(frozen=True)
class ExternalTrial:
    """One trial of another tool.

    name: as its tool names it, such as a run's name or a trial's number
    state: `running` also of trials that were left so by a crash, or wait to start
    settings: value of each parameter that this trial has
    metrics: final value of each metric; NaN and infinities as recorded, absent if none was recorded
    curves: metric -> step -> value, for metrics that were reported on the way
    domains: the declared domain of each of its parameters, as far as the record has them
    reason: why it did not complete, if the record says so
    others: values that a table has beside these, such as a host name or a date
    runs: how many trials of the record it is the mean of
    """

    name: str
    state: State
    settings: Mapping[str, Setting]
    metrics: Mapping[str, float] = field(default_factory=dict)
    curves: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    domains: Mapping[str, Dimension] = field(default_factory=dict)
    seconds: float = math.nan
    reason: str = ""
    others: Mapping[str, Setting] = field(default_factory=dict)
    runs: int = 1


@dataclass(frozen=True)
class Objective:
    """A metric that the record names as what was optimised.

    direction: None if the record does not state it
    """

    name: str
    direction: Literal["maximize", "minimize"] | None = None


@dataclass(frozen=True)
class Column:
    """What a column of a flat table was taken for.

    role: `other` is neither setting nor outcome, such as a host name
    reason: in words, such as `by its name`
    doubtful: it could as well be a setting as an outcome; trials then have its numbers in both
    """

    name: str
    role: Role
    reason: str
    doubtful: bool = False


@dataclass(frozen=True)
class Sweep:
    """One study, experiment or results folder of another tool.

    tool: for a reader, such as `Optuna`, `Ray Tune`, `W&B`, `MLflow`, `CSV`
    name: of the study within the file, or the file's own; unique among those of one file
    trials: in the order in which they were started, as far as the record tells
    objectives: one, several (then one is to be chosen), or none that the record names
    sampler: what proposed the trials, such as `grid` or `tpe`, if the record shows it; else empty
    enqueued: how many trials had values that a person gave, among those of the sampler
    notes: how the file was read where that is not plain, each as a sentence without a full stop
    left_out: what was in the file and is not in here, each as a sentence without a full stop
    columns: what each column of a table was taken for; empty of other records
    """

    tool: str
    name: str
    trials: tuple[ExternalTrial, ...]
    objectives: tuple[Objective, ...] = ()
    sampler: str = ""
    enqueued: int = 0
    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
