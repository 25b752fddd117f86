"""Tests of the order of trials: whether results, or the time alone, decided where they lie.

Each compares trials of one group only (`run_order`), whose order is exchangeable if neither did.
With r_i the rank of a number in its group of m trials and t_i the place of the trial in it,

    S = sum over groups of sum_i (r_i - mean r) (t_i - mean t)

has the mean 0 and the variance V = sum over groups of R T / (m - 1), where R and T are the sums of
squares of the two factors. S / sqrt(V) is Spearman's test, by its normal approximation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.external.design_tests import Column, Sign, embed, with_holm
from analysis.external.run_order import Codes
from analysis.stats.intervals import FloatArray
from analysis.stats.nearest import pairwise_distances

_TOP = 0.1  # of the trials, to which later ones are compared; three at least
_BLOCK = 1024  # trials whose distances are computed at once
_RIDGE = 0.02  # relative to the variance of a uniform quantile


@dataclass(frozen=True)
class OrderSigns:
    """Signs of an order that is not exchangeable, the clearest first.

    by_results: later trials lie where results are good, as an optimiser places them
    by_time: parameters drift, for whatever reason
    """

    by_results: tuple[Sign, ...]
    by_time: tuple[Sign, ...]


def find_order_signs(
    columns: Sequence[Column], scores: FloatArray, groups: Sequence[Codes]
) -> OrderSigns:
    """What the order of trials shows, with p-values corrected for all signs together.

    Args:
        columns: of trials in the order in which they were started.
        scores: (trials,) results, higher is better.
        groups: rows of trials that may be compared.
    """
    from scipy.stats import norm

    points = embed(columns)
    ranked = np.argsort(-scores, kind="stable")
    top = ranked[: max(3, round(_TOP * len(scores)))]
    merits = {
        "later trials lie where results are better": _predict(points, scores),
        "later trials lie nearer to the best one": -_distance(points, ranked[:1], 1),
        "later trials lie nearer to the best tenth": -_distance(points, top, 2),
    }
    by_results = [
        Sign(text, float(norm.sf(_trend(merit, groups)))) for text, merit in merits.items()
    ]
    by_time = [sign for column in columns for sign in _drifts(column, groups)]
    corrected = with_holm([*by_results, *by_time])
    texts = set(merits)
    return OrderSigns(
        tuple(sign for sign in corrected if sign.text in texts),
        tuple(sign for sign in corrected if sign.text not in texts),
    )


def _drifts(column: Column, groups: Sequence[Codes]) -> list[Sign]:
    """Whether a parameter, or how far it lies from its middle, changes with the trial number."""
    text = f"{column.label} drifts with the trial number"
    if column.unordered:
        levels = np.unique(column.units)
        p = min(_two_sided(_trend((column.units == level) * 1.0, groups)) for level in levels)
        return [Sign(text, min(1.0, p * len(levels)))]
    from_middle = np.abs(column.units - np.median(column.units))
    return [
        Sign(text, _two_sided(_trend(column.units, groups))),
        Sign(
            f"the spread of {column.label} drifts with the trial number",
            _two_sided(_trend(from_middle, groups)),
        ),
    ]


def _two_sided(z: float) -> float:
    from scipy.stats import norm

    return float(2.0 * norm.sf(abs(z)))


def _trend(values: FloatArray, groups: Sequence[Codes]) -> float:
    """S / sqrt(V) of the module's docstring; 0 where nothing varies within a group."""
    from scipy.stats import rankdata

    total = variance = 0.0
    for rows in groups:
        m = len(rows)
        if m < 2:
            continue
        ranks = rankdata(values[rows])
        ranks -= ranks.mean()
        places = np.arange(m) - (m - 1) / 2.0
        total += float(ranks @ places)
        variance += float(ranks @ ranks) * float(places @ places) / (m - 1)
    return total / variance**0.5 if variance > 0.0 else 0.0


def _predict(points: FloatArray, scores: FloatArray) -> FloatArray:
    """(trials,) the rank that all other trials predict for each one.

    By ridge regression on coordinates and their squares, with the closed form of leaving one out,
    y_i - (y_i - (H y)_i) / (1 - H_ii) with the hat matrix H.
    """
    from scipy.stats import rankdata

    ranks, centred = rankdata(scores), points - 0.5
    x = np.column_stack([np.ones(len(points)), centred, centred**2])
    penalty = np.full(x.shape[1], _RIDGE * len(points) / 12.0)
    penalty[0] = 0.0
    # pinv: the squares of two coordinates of a choice may be the same up to a constant.
    inverse = np.linalg.pinv(x.T @ x + np.diag(penalty))
    predicted = x @ (inverse @ (x.T @ ranks))  # without H itself, which has trials^2 elements
    leverages = np.einsum("ij,ij->i", x @ inverse, x)
    return np.asarray(ranks - (ranks - predicted) / np.maximum(1.0 - leverages, 1e-6))


def _distance(points: FloatArray, rows: Codes, count: int) -> FloatArray:
    """(trials,) mean distance to the nearest `count` of some trials, other than the trial itself.

    The median of all where there is no other.
    """
    means = np.empty(len(points))
    for start in range(0, len(points), _BLOCK):  # all distances of many trials fill the memory
        block = np.arange(start, min(start + _BLOCK, len(points)))
        distances = pairwise_distances(points[block], points[rows])
        distances[block[:, None] == rows] = np.inf
        nearest = np.partition(distances, min(count, len(rows)) - 1, axis=1)
        means[block] = nearest[:, :count].mean(axis=1)
    finite = np.isfinite(means)
    return np.asarray(np.where(finite, means, np.median(means[finite])))
