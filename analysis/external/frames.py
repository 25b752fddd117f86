"""The trials and curves of another tool's sweep as the tables of a study."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from analysis.data.metric import Metric
from analysis.external.sweep import ExternalTrial, Setting
from study.records.schema import CURVE_COLUMNS, TRIAL_COLUMNS, tidy, trial_id
from study.spec.space import Dimension

_KIND_DTYPES = {"float": "float64", "int": "int64", "bool": "object", "choice": "object"}


def make_trials(
    trials: Sequence[ExternalTrial], metric: Metric, dimensions: Mapping[str, Dimension]
) -> pd.DataFrame:
    """A row for each trial: `TRIAL_COLUMNS`, `score`, `runs`, a column for each dimension's path.

    dimensions: by the setting's name. Every trial counts as explored: what the sampler did is told
    by the study's design.
    """
    names = _name_trials(trials)
    budget = _full_budget(trials, metric)
    rows = []
    for number, trial in enumerate(trials):
        reached = max(trial.curves.get(metric.name, {}), default=0)
        rows.append(
            {
                "trial_id": names[number],
                "number": number,
                "phase": "explore",
                "state": trial.state,
                "reason": trial.reason,
                "seed": 0,
                # A trial that completed did what was wanted of it, whatever it reported on the way.
                "steps_done": budget if trial.state == "completed" else reached,
                "budget_steps": budget,
                "train_seconds": trial.seconds,
                "score": metric.values(final_value(trial, metric)),
                "runs": trial.runs,
                **{d.path: _typed(d, trial, n) for n, d in dimensions.items()},
            }
        )
    frame = pd.DataFrame(rows)
    dtypes = TRIAL_COLUMNS | {"score": "float64", "runs": "int64"}
    for d in dimensions.values():
        missing = d.kind == "int" and not d.choices and frame[d.path].isna().any()
        dtypes[d.path] = "object" if d.choices else "float64" if missing else _KIND_DTYPES[d.kind]
    return tidy(frame, dtypes)


def make_curves(trials: Sequence[ExternalTrial], metric: Metric) -> pd.DataFrame:
    """A row for each value of the metric that was reported on the way, with `CURVE_COLUMNS`."""
    names = _name_trials(trials)
    points = [
        {"trial_id": names[number], "step": step, "score": metric.values(value)}
        for number, trial in enumerate(trials)
        for step, value in trial.curves.get(metric.name, {}).items()
    ]
    return tidy(pd.DataFrame(points), CURVE_COLUMNS | {"score": "float64"})


def final_value(trial: ExternalTrial, metric: Metric) -> float:
    """The metric's final value, or the last one that was reported; NaN without one."""
    if metric.name in trial.metrics:
        return float(trial.metrics[metric.name])
    curve = trial.curves.get(metric.name, {})
    return float(curve[max(curve)]) if curve else math.nan


def _full_budget(trials: Sequence[ExternalTrial], metric: Metric) -> int:
    """The last step at which any trial reported the metric; 1 if none did on the way."""
    return max((max(c) for t in trials if (c := t.curves.get(metric.name))), default=1)


def _name_trials(trials: Sequence[ExternalTrial]) -> list[str]:
    """Their own names where these tell them apart, else their numbers."""
    names = [trial.name for trial in trials]
    if all(names) and len(set(names)) == len(names):
        return names
    return [trial_id(number) for number in range(len(trials))]


def _typed(dimension: Dimension, trial: ExternalTrial, name: str) -> Setting:
    """The trial's value as the dimension lists it; NaN where it has none."""
    if name not in trial.settings:
        return math.nan
    value = trial.settings[name]
    if dimension.choices:
        return value if value in dimension.choices else str(value)
    if value is None:
        return math.nan
    return int(value) if dimension.kind == "int" else float(value)
