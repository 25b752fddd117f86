"""The difference of two rates with an interval."""

from __future__ import annotations

from math import hypot

from analysis.stats.rates import BreakRate


def difference_interval(first: BreakRate, second: BreakRate) -> tuple[float, float]:
    """Interval of the rate of `first` minus that of `second`, at the confidence of their intervals.

    Newcombe's hybrid (1998, method 10) on the rates' own intervals: each end lies as far from the
    difference as the two ends that would move it there, added in quadrature. Where each count is
    over several studies of unequal rates it is wider than it need be: such a sum varies less than
    a binomial count of the mean rate (Hoeffding 1956).
    """
    difference = first.rate - second.rate
    low = difference - hypot(first.rate - first.low, second.high - second.rate)
    high = difference + hypot(first.high - first.rate, second.rate - second.low)
    return max(low, -1.0), min(high, 1.0)
