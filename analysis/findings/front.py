"""The best trials of a study of several metrics: their Pareto front, and the most balanced of them.

Replicates do not count, nor do runs that broke: one that ends early is fast, and has learnt
nothing. Each trial is a single run, so that its place on the front is partly luck.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.data.metric import Metric
from analysis.data.selection import select_trained
from analysis.data.study import Study
from analysis.stats.intervals import FloatArray
from study.spec.pareto_front import find_most_balanced, on_front, ranks
from study.trainers.objective import read_objectives


@dataclass(frozen=True)
class Front:
    """The Pareto front of a study's metrics.

    trials: rows of the trials table on the front, the best by the first metric first
    candidates: all trials that it was chosen from
    balanced: the most balanced of them, which is on the front; None where there is no candidate
    worst_rank: of the balanced one: in each metric, it is among that many best candidates
    """

    metrics: tuple[Metric, ...]
    trials: pd.DataFrame
    candidates: pd.DataFrame
    balanced: pd.Series | None
    worst_rank: int


def find_front(study: Study) -> Front | None:
    """The front of the trials so far; None for a study of one metric."""
    if len(study.metrics) < 2:
        return None
    candidates = select_trained(study.trials[study.trials["phase"] != "replicate"])
    is_measured = np.isfinite(_scores(study, candidates)).all(axis=1)
    candidates = pd.DataFrame(candidates[is_measured])
    if candidates.empty:
        return Front(study.metrics, candidates, candidates, None, 0)
    scores = _scores(study, candidates)
    row = find_most_balanced(scores)
    best_first = candidates[on_front(scores)].sort_values("score", ascending=False, kind="stable")
    worst_rank = int(ranks(scores)[row].max())
    return Front(study.metrics, best_first, candidates, candidates.iloc[row], worst_rank)


def find_best_row(study: Study, trials: pd.DataFrame) -> int:
    """The place of the best of some trials; of several metrics, of the most balanced one."""
    if len(study.metrics) < 2:
        return int(trials["score"].argmax())
    return find_most_balanced(np.nan_to_num(_scores(study, trials), nan=-np.inf))


def _scores(study: Study, trials: pd.DataFrame) -> FloatArray:
    """(trials, metrics) with the digits of the journal: the study repeats the same trial."""
    columns = [
        [objective.score(objective.rounded(float(value))) for value in trials[objective.column]]
        for objective in read_objectives(study.spec)
    ]
    return np.array(columns, dtype=float).T.reshape(len(trials), len(columns))


def tabulate_front(study: Study, front: Front) -> pd.DataFrame:
    """A row for each trial on the front: its metrics, whether it is the balanced one, values."""
    trials = front.trials
    columns: dict[str, pd.Series] = {"trial": trials["trial_id"], "phase": trials["phase"]}
    columns |= {metric.title: trials[metric.column] for metric in front.metrics}
    balanced = "" if front.balanced is None else str(front.balanced["trial_id"])
    columns["most balanced"] = trials["trial_id"] == balanced
    return pd.DataFrame(columns | {d.path: trials[d.path] for d in study.space.dimensions})
