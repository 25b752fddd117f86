"""The outcome of each trial of a table; the rule and its words are in `study.records.outcomes`.

Of sweeps of other tools it is the state that their record gives each trial.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from study.records.outcomes import OUTCOMES, UNKNOWN_TRIVIAL_PSNR, format_count, outcome_of

COMPLETED = "completed"
"""Outcome of a trial of another tool that ended as planned, whatever it reached."""


def add_outcomes(
    trials: pd.DataFrame, trivial_psnrs: Mapping[str, float], quality: str = "score"
) -> pd.DataFrame:
    """The table with a column `outcome`, one of `OUTCOMES` for each trial.

    trivial_psnrs: name -> PSNR in dB of trivial images of this scene; if empty, no trial shows
    nothing
    quality: the column that says how well a trial learnt: PSNR if it has one, whatever the metric
    of the study
    """
    best = max(trivial_psnrs.values(), default=UNKNOWN_TRIVIAL_PSNR)
    outcomes = [
        outcome_of(str(state), float(learnt), best)
        for state, learnt in zip(trials["state"], trials[quality], strict=True)
    ]
    return trials.assign(outcome=pd.Series(outcomes, index=trials.index, dtype="string"))


def add_recorded_outcomes(trials: pd.DataFrame) -> pd.DataFrame:
    """The table of another tool's trials with a column `outcome`: completed, pruned or failed."""
    return trials.assign(outcome=trials["state"])


def count_outcomes(trials: pd.DataFrame) -> dict[str, int]:
    """How many of the trials have each outcome, the best outcome first; without zeros."""
    counts = {o: int((trials["outcome"] == o).sum()) for o in (COMPLETED, *OUTCOMES)}
    return {outcome: count for outcome, count in counts.items() if count}


def format_outcomes(trials: pd.DataFrame) -> str:
    """`30 trained, 12 show nothing, 4 collapsed`; empty without trials."""
    return ", ".join(format_count(n, outcome) for outcome, n in count_outcomes(trials).items())
