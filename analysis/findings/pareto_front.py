"""Pareto front of the metric against seconds of training."""

from __future__ import annotations

import pandas as pd

from analysis.data.selection import select_trained


def select_pareto_front(trials: pd.DataFrame) -> pd.DataFrame:
    """The trained trials that no other one beats in both score and seconds; fastest first."""
    done = select_trained(trials).sort_values(["train_seconds", "score"], ascending=[True, False])
    # In order of time: on the front are those that beat every faster trial.
    better = done["score"] > done["score"].cummax().shift(fill_value=float("-inf"))
    return pd.DataFrame(done[better])
