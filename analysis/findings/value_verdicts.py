"""Verdicts on the values of a parameter, from posterior draws of their mean score.

A value is *as good* if it is proved to lose at most a margin against the best value, *worse* if it
is proved to lose more, and otherwise *open*. Each of the first two holds for all of its values at
once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analysis.stats.intervals import FloatArray

Verdict = Literal["as good", "worse", "open"]

Edge = Literal["", "low", "high"]
"""End of a range; empty for neither."""

MARGINS = (0.1, 0.2, 0.5, 1.0)
"""Losses in dB of PSNR that a statement about equally good values may tolerate, the least that can
be proved."""

_MIN_PART_OF_SPREAD = 1 / 30
"""The least margin of another metric, in standard deviations; 0.1 dB is about that of PSNR."""

_CONFIDENCE = 0.975
_MIN_PART_AS_GOOD = 0.1  # of the axis, that a margin must be proved for
_CERTAIN_EDGE = 0.9  # of the draws have their best value in the outermost sixteenth
_MAX_TRIALS_TO_DECIDE = 10  # times the trials there are: beyond, no number is named


def choose_margins(scores: FloatArray) -> tuple[float, ...]:
    """Four margins for a metric of any scale: 1, 2 or 5 times powers of ten, as `MARGINS`.

    scores: (trials,) finite, not all equal
    """
    first, third = np.quantile(scores, (0.25, 0.75))
    # The interquartile range of a normal distribution is 1.35 standard deviations; trials that
    # diverged count less in it.
    spread = (third - first) / 1.35 or scores.std()
    least = _MIN_PART_OF_SPREAD * float(spread)
    decade = math.floor(math.log10(least))
    steps = [float(f"{digit}e{decade + more}") for more in (0, 1, 2) for digit in (1, 2, 5)]
    start = next(i for i, step in enumerate(steps) if step >= least)
    return tuple(steps[start : start + len(MARGINS)])


def judge_values(
    losses: FloatArray, top: int, ordered: bool, margins: Sequence[float] = MARGINS
) -> tuple[float, tuple[Verdict, ...]]:
    """The least of the margins that can be proved for a tenth of the values, and all verdicts.

    losses: (values, R) draws of the loss of score against the best value; top: the best on average
    """
    count = len(losses)
    for margin in margins:
        within = losses <= margin
        as_good = _grow(within, top, ordered)
        if len(as_good) >= max(1, round(_MIN_PART_AS_GOOD * count)):
            break
    verdicts: list[Verdict] = ["open"] * count
    for i in as_good:
        verdicts[i] = "as good"
    for i in _collect_worse(losses > margin):
        verdicts[i] = "worse"
    return margin, tuple(verdicts)


def _grow(within: NDArray[np.bool_], top: int, ordered: bool) -> list[int]:
    """Values about `top` of which all are within the margin in 97.5 % of the draws at once.

    They are an unbroken range of an ordered axis, and any choices of an unordered one.
    """
    joint = within[top].copy()
    if joint.mean() < _CONFIDENCE:
        return []
    taken = [top]
    while True:
        if ordered:
            candidates = [i for i in (min(taken) - 1, max(taken) + 1) if 0 <= i < len(within)]
        else:
            candidates = [i for i in range(len(within)) if i not in taken]
        chances = [(float((joint & within[i]).mean()), i) for i in candidates]
        if not chances or max(chances)[0] < _CONFIDENCE:
            return sorted(taken)
        best = max(chances)[1]
        joint &= within[best]
        taken.append(best)


def _collect_worse(beyond: NDArray[np.bool_]) -> list[int]:
    """Values of which all are beyond the margin in 97.5 % of the draws at once."""
    joint = np.ones(beyond.shape[1], dtype=bool)
    taken = []
    for i in np.argsort(-beyond.mean(axis=1), kind="stable"):
        if (joint & beyond[i]).mean() < _CONFIDENCE:
            break
        joint &= beyond[i]
        taken.append(int(i))
    return taken


def find_edge(tops: FloatArray, density: FloatArray) -> Edge:
    """The end of the range at which nearly all draws have their best value, and runs train.

    tops: (R,) the best value of each draw; density: (values,) how often runs train
    """
    count = len(density)
    at_end = max(1, count // 16)
    alive = density > 0.5 * density.max()
    if (tops < at_end).mean() > _CERTAIN_EDGE and alive[0]:
        return "low"
    return "high" if (tops >= count - at_end).mean() > _CERTAIN_EDGE and alive[-1] else ""


def estimate_trials_to_decide(
    losses: FloatArray, verdicts: Sequence[Verdict], margin: float, trials: int
) -> int | None:
    """About how many trials would decide half of the open values.

    A value is decided where its mean loss is two standard deviations from the margin; deviations
    fall as 1 / sqrt(trials).
    """
    open_ = [i for i, verdict in enumerate(verdicts) if verdict == "open"]
    if not open_:
        return None
    gaps = np.abs(losses[open_].mean(axis=1) - margin)
    ratio = float(np.median(2.0 * losses[open_].std(axis=1) / np.maximum(gaps, 1e-9)))
    needed = trials * max(ratio, 1.0) ** 2
    return None if needed > _MAX_TRIALS_TO_DECIDE * trials else int(-(-needed // 16) * 16)
