"""Selections of trials: comparable ones, finished ones, the best one, the default one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.data.study import Study
from nerf.config.parameters import Value


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
        reasons = "; ".join(f"{count} {reason}" for reason, count in self.left_out.items())
        return f"{used}; left out: {reasons}."


def select_comparable(trials: pd.DataFrame) -> ComparableTrials:
    """The explore trials that reached the full budget with a finite PSNR.

    Trials stopped early have the PSNR of another budget, and those of the optimise phase were not
    drawn from the prior but where results were good; either would bias the shares. Variants do not
    sample a space at all.
    """
    explore = trials["phase"] == "explore"
    budget = int(trials.loc[explore, "budget_steps"].max()) if explore.any() else 0
    short = trials["steps_done"] < trials["budget_steps"]
    reasons = np.select(
        [
            trials["phase"] == "replicate",
            trials["phase"] == "variant",
            ~explore,
            trials["state"] == "failed",
            (trials["state"] == "collapsed") & short,
            short,
            trials["budget_steps"] != budget,
            ~np.isfinite(trials["psnr"]),
        ],
        [
            "repeated with another seed",
            "of named variants (not drawn from the space)",
            "of the optimise phase (drawn where results were good)",
            "failed",
            "collapsed before the full budget",
            "stopped before the full budget",
            "with another budget",
            "without a finite PSNR",
        ],
        default="",
    )
    counts = pd.Series(reasons[reasons != ""]).value_counts(sort=False)
    return ComparableTrials(trials[reasons == ""], {str(k): int(v) for k, v in counts.items()})


def select_measured(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials with a finite PSNR, in any state."""
    return pd.DataFrame(trials[np.isfinite(trials["psnr"].to_numpy(dtype=float))])


def select_finished(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials of any phase that completed their budget with a finite PSNR."""
    full = (trials["state"] == "completed") & (trials["steps_done"] == trials["budget_steps"])
    return select_measured(trials[full.to_numpy(dtype=bool)])


def find_default_trial(study: Study) -> pd.Series | None:
    """The finished trial that ran the default configuration, or None without one."""
    if not study.defaults:
        return None
    finished = select_finished(study.trials)
    same = match_configuration(finished, study.defaults)
    return finished[same].iloc[0] if same.any() else None


def match_configuration(trials: pd.DataFrame, values: Mapping[str, Value]) -> NDArray[np.bool_]:
    """(trials,) whether each trial has all these values, by parameter path."""
    same = np.ones(len(trials), dtype=bool)
    for path, value in values.items():
        same &= _equals(trials[path], value)
    return same


def find_best_trial(trials: pd.DataFrame) -> pd.Series | None:
    """The finished trial of highest validation PSNR, or None without one.

    Replicates do not count: they measure how good the best configuration is with other seeds.
    """
    finished = select_finished(trials[trials["phase"] != "replicate"])
    return None if finished.empty else finished.iloc[int(finished["psnr"].argmax())]


def _equals(column: pd.Series, value: Value) -> NDArray[np.bool_]:
    if isinstance(value, float):
        return np.asarray(np.isclose(column.to_numpy(dtype=float), value))
    return np.asarray(column == value, dtype=bool)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
