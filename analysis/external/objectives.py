"""Finds objectives beside the chosen metric, and counts the Pareto optimal trials."""

from __future__ import annotations

import numpy as np

from analysis.data.metric import Metric
from analysis.data.objectives import OtherObjectives
from analysis.external.sweep import Sweep
from analysis.stats.intervals import FloatArray


def find_other_objectives(sweep: Sweep, metric: Metric) -> OtherObjectives | None:
    """What the record names as optimised beside the metric; None if nothing else was."""
    others = [o for o in sweep.objectives if o.name != metric.name]
    if not others or len(others) == len(sweep.objectives):  # the metric is no objective
        return None
    signs = [-1.0 if metric.minimize else 1.0]
    signs += [-1.0 if o.direction == "minimize" else 1.0 for o in others]
    names = [metric.name, *(o.name for o in others)]
    completed = [t.metrics for t in sweep.trials if t.state == "completed"]
    values = np.array([[m.get(n, np.nan) for n in names] for m in completed], dtype=float)
    values = values.reshape(-1, len(names))
    scores = np.array(signs) * values[np.isfinite(values).all(axis=1)]
    known = all(o.direction for o in others)
    front = count_pareto_optimal(scores) if known else None
    return OtherObjectives(tuple(names[1:]), front, len(scores))


def count_pareto_optimal(scores: FloatArray) -> int:
    """How many rows (trials, objectives; higher is better) no other row dominates."""
    # A row dominates another if it is nowhere worse and somewhere better.
    return sum(
        not bool(((scores >= row).all(axis=1) & (scores > row).any(axis=1)).any()) for row in scores
    )
