"""What the seed alone does to PSNR and to whether a run trains, from configurations run again.

Of other tools, whose metric may have any scale: what chance alone does to the metric.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.data.selection import select_comparable, select_trained
from analysis.data.study import Study
from analysis.stats.intervals import FloatArray
from analysis.stats.seed_spread import (
    SeedPart,
    SeedSpread,
    estimate_seed_part,
    estimate_seed_spread,
)
from study.records.outcomes import BROKEN, TRAINED
from study.spec.replicate_order import replicate_role


@dataclass(frozen=True)
class SeedVariance:
    """All findings on seeds, from explored configurations that were run again.

    spread: standard deviation of the score between seeds, of runs that trained
    part: the seeds' part of the variance of the score among the explored runs that trained
    pure_ss, pure_df: sum of squares within configurations and its degrees of freedom, for
    `lack_of_fit`; of runs that trained
    repeated: configurations of which several runs trained or broke; partly_broken: those that
    trained with one seed and broke with another
    """

    spread: SeedSpread | None
    part: SeedPart | None
    pure_ss: float
    pure_df: int
    repeated: int
    partly_broken: int


def estimate_seed_variance(study: Study) -> SeedVariance:
    """Spread between seeds over the search space, and its part of the variance.

    The first run of an explored configuration counts with its replicates: it was repeated whatever
    its result. Replicates of the best configuration and of the default do not count: these are no
    sample of the space. Nor do repeats of variants.
    """
    trials = study.trials
    paths = [dimension.path for dimension in study.varied]
    roles = classify_replicates(study)
    design = trials[(trials["phase"] == "explore") | (roles == "explored")]
    groups = [g["score"].to_numpy(dtype=float) for g in _repeated(select_trained(design), paths)]
    explored = select_comparable(trials).trials["score"].to_numpy(dtype=float)
    scale = _find_scale(study, explored)
    scaled = [group / scale for group in groups]
    ended = _repeated(design[design["outcome"].isin([TRAINED, *BROKEN])], paths)
    trained = [g["outcome"].eq(TRAINED).agg(["any", "all"]) for g in ended]
    return SeedVariance(
        spread=_rescale(estimate_seed_spread(scaled), scale),
        part=estimate_seed_part(scaled, explored / scale),
        pure_ss=_squares_within(groups),
        pure_df=sum(len(group) - 1 for group in groups),
        repeated=len(ended),
        partly_broken=sum(bool(t["any"] and not t["all"]) for t in trained),
    )


def classify_replicates(study: Study) -> pd.Series:
    """What each trial repeats: a `Role` of `replicate_order`; empty for other phases."""
    phases, numbers = study.trials["phase"], study.trials["number"]
    others = np.sort(numbers[phases != "replicate"].to_numpy())
    first = int(numbers[phases == "replicate"].min()) if len(others) < len(numbers) else 0
    planned = int(study.spec.get("replicates", 0))
    alternating = int(study.spec.get("alternating_replicates", planned))
    explored = int((phases == "explore").sum())
    roles = []
    for phase, number in zip(phases, numbers, strict=True):
        if phase != "replicate":
            roles.append("")
            continue
        # Its index among replicates. A number that is missing is of one that still runs.
        between = int(np.searchsorted(others, number) - np.searchsorted(others, first))
        place = (int(number) - first) // study.turns - between
        roles.append(replicate_role(place, explored, alternating)[0])
    return pd.Series(roles, index=study.trials.index, dtype="string")


def _repeated(trials: pd.DataFrame, paths: Sequence[str]) -> list[pd.DataFrame]:
    """The trials of each configuration and budget that was run more than once."""
    if trials.empty or not paths:
        return []
    by = [*paths, "budget_steps"]
    repeated = trials[trials.duplicated(by, keep=False)]  # thousands of groups of one take seconds
    groups = repeated.groupby(by, observed=True, dropna=False)
    return [group for _, group in groups if len(group) > 1]


def _find_scale(study: Study, explored: FloatArray) -> float:
    """What to divide scores by for `stats.seed_spread`, which expects a spread of a few dB.

    1 for studies of this program, the standard deviation for another metric.
    """
    varies = not study.is_native and len(explored) > 0 and np.ptp(explored) > 0
    return float(explored.std()) if varies else 1.0


def _rescale(spread: SeedSpread | None, scale: float) -> SeedSpread | None:
    """The spread of scores, from that of scores over `scale`; None if repeats never differ."""
    if spread is None or spread.largest == 0.0:
        return None
    sizes = ("deviation", "low", "high", "smallest", "largest")
    return replace(spread, **{name: scale * getattr(spread, name) for name in sizes})


def _squares_within(groups: Sequence[FloatArray]) -> float:
    """Sum of squared deviations of each value from the mean of its group."""
    return float(sum(((group - group.mean()) ** 2).sum() for group in groups))
