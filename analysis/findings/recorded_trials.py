"""The trials of another tool's sweep as a table for readers, with what its record holds."""

from __future__ import annotations

import pandas as pd

from analysis.data.study import Study


def tabulate_recorded_trials(study: Study) -> pd.DataFrame:
    """A row for each trial: its name and state, the metric, what else was recorded, its settings.

    Columns that nothing was recorded in are left out. A setting of the name of another column is
    followed by " (setting)".
    """
    trials = study.trials
    columns: dict[str, pd.Series] = {
        "trial": trials["trial_id"],
        "state": trials["state"],
        study.metric.name: study.metric.values(trials["score"]),
    }
    if study.has_means:
        columns["runs"] = study.runs
    if not study.curves.empty:
        columns["step"] = trials["steps_done"]
    if trials["train_seconds"].notna().any():
        columns["seconds"] = trials["train_seconds"]
    own = (dimension for branch in study.branches for dimension in branch.dimensions)
    for dimension in (*study.space.dimensions, *own):
        name = dimension.label
        columns[f"{name} (setting)" if name in columns else name] = trials[dimension.path]
    if trials["reason"].fillna("").ne("").any():
        columns["reason"] = trials["reason"]
    return pd.DataFrame(columns)
