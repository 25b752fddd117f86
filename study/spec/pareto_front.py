"""The best of trials in several metrics at once: the Pareto front, and its most balanced trial.

A trial is on the front if no other is better in one metric and at least as good in all others. The
most balanced trial is the one whose worst rank over the metrics is the lowest. It lies on the
front, and is the same whatever the units and scales of the metrics, of which a distance to the
best values would make a choice.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
"""(trials, metrics) finite, higher is better."""


def on_front(scores: Scores) -> NDArray[np.bool_]:
    """(trials,) whether each is on the Pareto front."""
    dominated = [
        bool(((scores >= row).all(axis=1) & (scores > row).any(axis=1)).any()) for row in scores
    ]
    return ~np.array(dominated, dtype=bool)


def ranks(scores: Scores) -> NDArray[np.intp]:
    """(trials, metrics) 1 for the best of each metric; one more than how many are better."""
    better = (scores[None, :, :] > scores[:, None, :]).sum(axis=1)
    return np.asarray(1 + better, dtype=np.intp)


def find_most_balanced(scores: Scores) -> int:
    """The row of the most balanced trial; of equal ones, that of the lowest sum of ranks.

    With one metric it is the best trial.
    """
    by_metric = ranks(scores)
    return int(np.lexsort((by_metric.sum(axis=1), by_metric.max(axis=1)))[0])
