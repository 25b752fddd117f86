"""Which trials a page and its figures show one by one, so that neither grows without end.

Numbers and intervals are always of all trials.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

MAX_SHOWN = 1200
"""Trials that are shown one by one; of more, the best and an even part of the others."""

_BEST = 200


def select_shown(trials: pd.DataFrame, most: int = MAX_SHOWN, best: int = _BEST) -> pd.DataFrame:
    """The trials to show, in their order: the best ones, and others evenly spaced by score.

    trials: with a column `score`; all of them are shown if they are at most `most`
    """
    n = len(trials)
    if n <= most:
        return trials
    # Places by score, 0 the best; a trial without one comes last.
    places = trials["score"].rank(ascending=False, method="first", na_option="bottom") - 1
    others = np.linspace(best, n - 1, most - best).round()
    return trials[(places < best) | places.isin(others)]


def describe_shown(trials: int) -> str:
    """Which of so many trials are shown, a sentence; empty if all of them are."""
    if trials <= MAX_SHOWN:
        return ""
    return (
        f"Shown are {MAX_SHOWN:,} of {trials:,} trials: the best {_BEST} and an even part of the "
        "others."
    )
