"""Selections of trials: comparable, trained and finished ones, the best one, the default one.

All read the column `outcome`, which `Study.trials` carries (`analysis.data.outcomes`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.data.metric import PSNR, Metric
from analysis.data.outcomes import COMPLETED
from analysis.data.study import Study
from nerf.config.parameters import Value
from study.records.outcomes import (
    BROKEN,
    COLLAPSED,
    FAILED,
    PRUNED,
    SHOWS_NOTHING,
    TRAINED,
    format_count,
)


@dataclass(frozen=True)
class ComparableTrials:
    """The trials that shares may be estimated from; left_out: reason -> how many were left out."""

    trials: pd.DataFrame
    left_out: Mapping[str, int]

    def sentence(self) -> str:
        """How many trials were used, and how many were left out for which reason."""
        used = f"{_count(len(self.trials), 'trial')} used"
        if not self.left_out:
            return f"{used}, none left out."
        reasons = "; ".join(format_count(n, reason) for reason, n in self.left_out.items())
        return f"{used}; left out: {reasons}."


def select_comparable(trials: pd.DataFrame, metric: Metric = PSNR) -> ComparableTrials:
    """The explore trials that trained, on the full budget and with a finite metric.

    Shares, curves and best values describe these: PSNR given that a run trains. Trials that
    collapsed, at any step, or show nothing count in `select_trained_or_broken`. Trials stopped
    early have the PSNR of another budget, and those of the optimise phase were not drawn from the
    prior but where results were good; either would bias the shares. Variants do not sample a space
    at all.
    """
    explore = trials["phase"] == "explore"
    reasons = np.select(
        [
            trials["phase"] == "replicate",
            trials["phase"] == "variant",
            trials["phase"] == "try",
            ~explore,
            trials["outcome"] == FAILED,
            trials["outcome"] == COLLAPSED,
            trials["outcome"] == SHOWS_NOTHING,
            trials["outcome"] == PRUNED,
            trials["steps_done"] < trials["budget_steps"],
            trials["budget_steps"] != _explored_budget(trials),
            ~np.isfinite(trials["score"]),
        ],
        [
            "repeated with another seed",
            "of named variants (not drawn from the space)",
            "chosen by hand",
            "of the optimise phase (drawn where results were good)",
            FAILED,
            COLLAPSED,
            SHOWS_NOTHING,
            PRUNED,
            "stopped before the full budget",
            "with another budget",
            f"without a finite {metric.name}",
        ],
        default="",
    )
    counts = pd.Series(reasons[reasons != ""]).value_counts(sort=False)
    return ComparableTrials(trials[reasons == ""], {str(k): int(v) for k, v in counts.items()})


def select_trained_or_broken(trials: pd.DataFrame) -> pd.DataFrame:
    """The explore trials that trained, show nothing or collapsed: P(trains) is over these.

    No scheduler stopped them, and they raised no error. None of another tool's: their record does
    not say what collapsed.
    """
    ended = trials["outcome"].isin([TRAINED, *BROKEN])
    return trials[(trials["phase"] == "explore") & ended]


def select_with_failures(trials: pd.DataFrame) -> pd.DataFrame:
    """The comparable trials and those that collapsed or show nothing, each with its last PSNR.

    For the sensitivity "counting failed runs at their last PSNR". A run that collapsed has the PSNR
    of the step at which it was stopped; one that diverged to NaN has none and is left out.
    """
    ended = select_measured(select_trained_or_broken(trials))
    return ended[ended["budget_steps"] == _explored_budget(trials)]


def select_measured(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials with a finite metric, of any outcome."""
    return pd.DataFrame(trials[np.isfinite(trials["score"].to_numpy(dtype=float))])


def select_trained(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials of any phase that trained, or completed, on their full budget.

    For what describes the metric given that a run trains: the spread between seeds, the cost of
    quality, the difference of two configurations. Say beside it how many runs broke.
    """
    return select_finished(trials[trials["outcome"].isin([TRAINED, COMPLETED])])


def select_finished(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials of any phase that completed their budget with a finite metric.

    Those that show nothing count: for what became of one configuration, such as the default one,
    whose PSNR is a result however low it is.
    """
    full = (trials["state"] == "completed") & (trials["steps_done"] == trials["budget_steps"])
    return select_measured(trials[full.to_numpy(dtype=bool)])


def _explored_budget(trials: pd.DataFrame) -> int:
    """Steps of the largest budget of an explore trial; 0 without one."""
    budgets = trials.loc[trials["phase"] == "explore", "budget_steps"]
    return int(budgets.max()) if len(budgets) else 0


def find_default_trial(study: Study) -> pd.Series | None:
    """The finished trial that ran the default configuration, or None without one.

    It may show nothing: that the defaults do not train is a result.
    """
    if not study.defaults:
        return None
    finished = select_finished(study.trials)
    same = match_configuration(finished, study.default_point)
    return finished[same].iloc[0] if same.any() else None


def match_configuration(trials: pd.DataFrame, values: Mapping[str, Value]) -> NDArray[np.bool_]:
    """(trials,) whether each trial has all these values, by parameter path."""
    same = np.ones(len(trials), dtype=bool)
    for path, value in values.items():
        same &= _equals(trials[path], value)
    return same


def find_best_trial(trials: pd.DataFrame) -> pd.Series | None:
    """The finished trial of the best metric, or None without one.

    It shows nothing only if no trial trained. Replicates do not count: they measure how good the
    best configuration is with other seeds.
    """
    finished = select_best_candidates(trials)
    return None if finished.empty else finished.iloc[int(finished["score"].argmax())]


def select_best_candidates(trials: pd.DataFrame) -> pd.DataFrame:
    """The finished trials but replicates: those that trained or, if none did, all."""
    finished = select_finished(trials[trials["phase"] != "replicate"])
    trained = finished[finished["outcome"].isin([TRAINED, COMPLETED])]
    return finished if trained.empty else trained


def _equals(column: pd.Series, value: Value) -> NDArray[np.bool_]:
    if isinstance(value, float):
        return np.asarray(np.isclose(column.to_numpy(dtype=float), value))
    return np.asarray(column == value, dtype=bool)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
