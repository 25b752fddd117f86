"""Studies of Optuna as sweeps: objectives, trials, declared domains, and what the sampler left."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeGuard, cast

from analysis.external.counts import count
from analysis.external.sweep import ExternalTrial, Objective, Setting, State, Sweep
from nerf.config.parameters import Value
from study.spec.space import Dimension

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.study._frozen import FrozenStudy
    from optuna.trial import FrozenTrial

_STATES: dict[str, State] = {
    "COMPLETE": "completed",
    "PRUNED": "pruned",
    "FAIL": "failed",
    "RUNNING": "running",
    "WAITING": "running",
}

_SAMPLER_MARKS = {
    "tpe": re.compile(r"tpe:relative_params"),
    "gp": re.compile(r"gp:relative_params"),
    "cma-es": re.compile(r"(sep)?cma(wm)?:"),
    "nsga-ii": re.compile(r"((multi_objective:)?nsga2|NSGAIISampler):generation"),
    "nsga-iii": re.compile(r"(nsga3|NSGAIIISampler):generation"),
    "lightgbm tuner": re.compile(r"lightgbm_tuner:"),
}
"""System attributes of a trial that one sampler alone writes; most TPE trials have none."""


def read_study(
    study: FrozenStudy, trials: Sequence[FrozenTrial], left_out: tuple[str, ...]
) -> Sweep:
    """The trials of a study in the order of their numbers; adds to `left_out` what it lacks.

    Infeasible trials, which break a constraint, come back as failed, as Optuna never counts one
    as best.
    """
    names = study.system_attrs.get("study:metric_names") or (
        ["value"]
        if len(study.directions) == 1
        else [f"objective {i}" for i in range(len(study.directions))]
    )
    ended = [t for t in trials if t.state.name == "COMPLETE"]
    numbers, others = _split_user_attributes(ended or trials)
    taken = {*names, *(name for t in trials for name in t.params)}
    # An attribute of a parameter's name gets the name that trials_dataframe() gives it.
    columns = {n: f"user_attrs_{n}" if n in taken else n for n in numbers}
    if others:
        left_out += (f"user attributes that are not numbers in most trials: {', '.join(others)}",)
    read = tuple(_read_trial(t, names, columns) for t in sorted(trials, key=lambda t: t.number))
    infeasible = sum(t.reason.startswith("infeasible") for t in read)
    if infeasible:
        broken = count(infeasible, "infeasible trial")
        left_out += (f"{broken}, counted as failed: a constraint is broken",)
    return Sweep(
        tool="Optuna",
        name=study.study_name,
        trials=read,
        objectives=tuple(
            Objective(name, _DIRECTIONS.get(direction.name))
            for name, direction in zip(names, study.directions, strict=True)
        ),
        sampler=_recognise_sampler(study, trials),
        enqueued=_count_enqueued(trials),
        left_out=left_out,
    )


_DIRECTIONS: dict[str, Literal["maximize", "minimize"]] = {
    "MAXIMIZE": "maximize",
    "MINIMIZE": "minimize",
}


def _split_user_attributes(trials: Sequence[FrozenTrial]) -> tuple[list[str], list[str]]:
    """The names of user attributes that are numbers in most trials, and of all others."""
    numbers = Counter(n for t in trials for n, v in t.user_attrs.items() if _is_number(v))
    names = sorted({name for t in trials for name in t.user_attrs})
    most = [name for name in names if numbers[name] > len(trials) / 2]
    return most, [name for name in names if name not in most]


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _read_trial(
    trial: FrozenTrial, names: Sequence[str], attributes: Mapping[str, str]
) -> ExternalTrial:
    state, reason = _STATES[trial.state.name], ""
    broken = _broken_constraint(trial)
    if trial.state.name == "WAITING":
        reason = "waits to start"
    elif broken and state in ("completed", "pruned"):
        state, reason = "failed", broken
    elif state == "failed":
        warning = trial.system_attrs.get("STUDY_TELL_WARNING")  # of Optuna 3 and 4
        reason = str(trial.system_attrs.get("fail_reason") or warning or "")
    metrics = dict(zip(names, map(float, trial.values or ()), strict=False))
    for attribute, name in attributes.items():
        value = trial.user_attrs.get(attribute)
        if _is_number(value):
            metrics[name] = float(value)
    steps = {int(k): float(v) for k, v in trial.intermediate_values.items()}
    duration = trial.duration
    return ExternalTrial(
        name=str(trial.number),
        state=state,
        settings={name: _setting(value) for name, value in trial.params.items()},
        metrics=metrics,
        curves={names[0]: steps} if steps else {},
        domains={name: _domain(name, d) for name, d in trial.distributions.items()},
        seconds=duration.total_seconds() if duration else math.nan,
        reason=reason,
    )


def _setting(value: Any) -> Setting:
    """A choice that is no scalar, such as a list, becomes text."""
    return value if value is None or isinstance(value, str | int | float) else json.dumps(value)


def _domain(name: str, distribution: BaseDistribution) -> Dimension:
    """The declared domain; those of Optuna 2 are subclasses that state log and step as well."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(distribution, CategoricalDistribution):
        choices = cast("tuple[Value, ...]", tuple(map(_setting, distribution.choices)))
        return Dimension(name, "choice", choices=choices, label=name)
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    integer = isinstance(distribution, IntDistribution)
    step = distribution.step or 0.0
    return Dimension(
        name,
        "int" if integer else "float",
        distribution.low,
        distribution.high,
        distribution.log,
        label=name,
        step=0.0 if integer and step == 1 else step,  # integers are a step apart anyway
    )


def _broken_constraint(trial: FrozenTrial) -> str:
    """Why a trial is infeasible, a constraint above 0; empty for one that is not."""
    attributes = trial.system_attrs
    listed = attributes.get("constraints") or attributes.get("nsga2:constraints") or ()
    values = {str(i): value for i, value in enumerate(listed)}
    prefix = "constraints:"
    values |= {k.removeprefix(prefix): v for k, v in attributes.items() if k.startswith(prefix)}
    broken = [f"{key} is {value:g} > 0" for key, value in values.items() if value > 0]
    return f"infeasible: constraint {', '.join(broken)}" if broken else ""


def _recognise_sampler(study: FrozenStudy, trials: Sequence[FrozenTrial]) -> str:
    """The sampler that left its marks in the record; empty where none is certain.

    One trial shows a sampler that follows results. A grid or a QMC sequence must have proposed all
    trials that were not enqueued; the first trial of a QMC sequence is a random one.
    """
    drawn = [t for t in trials if t.params]
    free = [t for t in drawn if not _is_enqueued(t)]
    keys = {key for t in drawn for key in t.system_attrs}
    seen = [s for s, mark in _SAMPLER_MARKS.items() if any(map(mark.match, keys))]
    if seen:
        return " and ".join(seen)
    if drawn and not free:
        return "enqueued"
    if free and all("grid_id" in t.system_attrs for t in free):
        return "grid"
    ids = [v for k, v in study.system_attrs.items() if k.startswith("qmc:") and isinstance(v, int)]
    return "qmc" if ids and sum(i + 1 for i in ids) >= len(free) - 1 else ""


def _is_enqueued(trial: FrozenTrial) -> bool:
    """Whether all its values were given by `enqueue_trial`, so that no sampler proposed them."""
    return set(trial.params) <= set(trial.system_attrs.get("fixed_params", {}))


def _count_enqueued(trials: Sequence[FrozenTrial]) -> int:
    """How many trials were enqueued; 0 if all were, as they then have one origin."""
    drawn = [t for t in trials if t.params]
    enqueued = sum(map(_is_enqueued, drawn))
    return enqueued if enqueued < len(drawn) else 0
