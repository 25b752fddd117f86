"""Limits the parameters of another tool's sweep, so that its analysis takes seconds, not hours.

Of very many parameters those are analysed together that pass a test one at a time: a surrogate of a
hundred parameters costs minutes and predicts worse than one of the few that matter. Studies of this
program are never limited.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analysis.data.assumption import Assumption
from analysis.data.selection import select_comparable
from analysis.data.study import Study
from analysis.stats.intervals import SIGNIFICANCE_LEVEL, FloatArray
from analysis.surrogate.unit_cube import Axis, make_axis, to_quantiles

MAX_PARAMETERS = 32

_MAX_UNTESTED = 16  # parameters that are analysed if none passes
_TESTS = 4  # of an ordered parameter: level and spread of the metric, along it and from its middle


def limit_parameters(study: Study) -> Study:
    """The study with fewer parameters if it has more than `MAX_PARAMETERS`.

    What was set aside stands last in `assumed`, with what it costs.
    """
    dimensions = study.space.dimensions
    if len(dimensions) <= MAX_PARAMETERS:
        return study
    trials = select_comparable(study.trials, study.metric).trials
    scores = trials["score"].to_numpy(dtype=float)
    units = to_quantiles(trials, dimensions)
    p_values = screen_parameters(units, scores, [make_axis(d) for d in dimensions])
    passed = [d for d, p in zip(dimensions, p_values, strict=True) if p < SIGNIFICANCE_LEVEL]
    kept = tuple(passed or dimensions[:_MAX_UNTESTED])
    why = (
        f"{len(kept)} of {len(dimensions)} parameters, which go with {study.metric.name} or its "
        "spread in a test of one at a time corrected for all"
        if passed
        else f"the first {len(kept)} of {len(dimensions)} parameters, since none goes with "
        f"{study.metric.name} or its spread in a test of one at a time corrected for all"
    )
    missed = _share_often_missed(len(trials), len(dimensions))
    text = (
        f"analysed are {why}; shares are of the whole variance, where the effects of all others "
        f"count as noise; half of the parameters that alone make {100 * missed:.2g} % of it fail "
        "this test, and those that act only through others fail it at several times that share"
    )
    listed = ",".join(d.label for d in dimensions[:2])
    assumption = Assumption(text, f"--parameters {listed},...")
    space = replace(study.space, dimensions=kept)
    return replace(study, space=space, assumed=(*study.assumed, assumption))


def _share_often_missed(trials: int, parameters: int) -> float:
    """The share of the variance, of a parameter that acts evenly, at which half of the tests fail.

    A correlation r is significant at |r| sqrt(n) > z, and its square is the share.
    """
    from scipy.stats import norm

    z = float(norm.isf(SIGNIFICANCE_LEVEL / (2 * _TESTS * parameters)))
    return min(0.99, z**2 / trials)


def screen_parameters(units: FloatArray, scores: FloatArray, axes: Sequence[Axis]) -> FloatArray:
    """(axes,) p-values that a parameter goes neither with the metric nor with its spread.

    Corrected by Bonferroni for all parameters and tests. The spread shows parameters that act only
    through others: where these vary more, so does the metric.

    Args:
        units: (trials, axes) quantiles of the values; scores: (trials,) finite.
    """
    from scipy.stats import kruskal, spearmanr

    spread = np.abs(scores - np.median(scores))
    p_values = np.ones(len(axes))
    for j, axis in enumerate(axes):
        column = units[:, j]
        if np.ptp(column) == 0:
            continue
        if axis.unordered:
            groups = [column == level for level in np.unique(column)]
            tests = [kruskal(*(y[g] for g in groups)).pvalue for y in (scores, spread)]
        else:
            places = (column, np.abs(column - np.median(column)))
            tests = [
                spearmanr(x, y).pvalue for x in places if np.ptp(x) > 0 for y in (scores, spread)
            ]
        p_values[j] = min(1.0, _TESTS * len(axes) * float(np.nanmin([*tests, 1.0])))
    return p_values
