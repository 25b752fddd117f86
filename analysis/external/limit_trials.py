"""Draws a part of another tool's very many trials, before anything costly is done with them."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from analysis.data.assumption import Assumption
from analysis.data.metric import Metric
from analysis.external.cells import to_number
from analysis.external.frames import final_value
from analysis.external.sweep import ExternalTrial, Sweep

MAX_TRIALS = 20_000

_SEED = 0


def limit_trials(sweep: Sweep, metric: Metric) -> tuple[Sweep, tuple[Assumption, ...]]:
    """The sweep with at most `MAX_TRIALS` trials, the best among them, and what that costs.

    The columns need not have their roles yet.
    """
    total = len(sweep.trials)
    if total <= MAX_TRIALS:
        return sweep, ()
    drawn = np.random.default_rng(_SEED).choice(total, MAX_TRIALS, replace=False)
    best = max(range(total), key=lambda place: _score(sweep.trials[place], metric))
    places = sorted({*drawn.tolist(), best})
    text = (
        f"{len(places)} trials stand for all {total}, drawn at random and the best one added: "
        "counts and ranges are of these, and intervals are wider than all trials would give"
    )
    trials = tuple(sweep.trials[place] for place in places)
    return dataclasses.replace(sweep, trials=trials), (Assumption(text),)


def _score(trial: ExternalTrial, metric: Metric) -> float:
    """The metric of a completed trial, higher is better; minus infinity of all others."""
    value = final_value(trial, metric)
    if math.isnan(value):  # a column that the table takes for a setting until it has its role
        elsewhere = to_number(trial.settings.get(metric.name, trial.others.get(metric.name)))
        value = math.nan if elsewhere is None else float(elsewhere)
    usable = trial.state == "completed" and math.isfinite(value)
    return float(metric.values(value)) if usable else -math.inf
