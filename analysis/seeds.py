"""What the seed alone does: the spread of PSNR between runs of one configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.importance import LEVEL
from analysis.load import finished

_REPLICATES = 400


@dataclass(frozen=True)
class SeedSpread:
    """Standard deviation in dB between seeds, pooled over the configurations run more than once.

    share: of the variance of PSNR over the explored trials; NaN where that is unknown.
    All with 95 % intervals, bootstrapped over configurations.
    """

    configurations: int
    runs: int
    deviation: float
    low: float
    high: float
    share: float
    share_low: float
    share_high: float


def seed_spread(
    trials: pd.DataFrame, paths: Sequence[str], rng: np.random.Generator
) -> SeedSpread | None:
    """The spread between seeds; None where fewer than 3 configurations were run more than once."""
    done = finished(trials)
    if done.empty or not paths:
        return None
    groups = [g for _, g in done.groupby([*paths, "budget_steps"])["psnr"] if len(g) > 1]
    if len(groups) < 3:
        return None
    squares = np.array([((g - g.mean()) ** 2).sum() for g in groups])
    freedom = np.array([len(g) - 1 for g in groups], dtype=float)
    drawn = rng.integers(len(groups), size=(_REPLICATES, len(groups)))
    again = squares[drawn].sum(axis=1) / freedom[drawn].sum(axis=1)
    variance = float(squares.sum() / freedom.sum())
    low, high = (float(q) for q in np.quantile(again, LEVEL))
    low, high = min(low, variance), max(high, variance)
    explored = done[done["phase"] == "explore"]["psnr"]
    whole = float(explored.var()) if len(explored) > 2 else float("nan")
    shares = [min(1.0, v / whole) if whole > 0 else float("nan") for v in (variance, low, high)]
    return SeedSpread(
        len(groups), sum(map(len, groups)), variance**0.5, low**0.5, high**0.5, *shares
    )
