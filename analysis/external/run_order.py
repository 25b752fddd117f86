"""Groups of trials whose order their settings fix: nested loops, sorted rows, part after part.

Through such an order a parameter drifts with the trial number, whatever the results are. Within a
group the order may still follow results, so that tests of order compare trials of one group only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.stats.intervals import FloatArray

Codes = NDArray[np.intp]

_MIN_RUNS = 6.0
"""Runs beyond the least number that a shuffled order must lead to expect: with fewer, chance or an
optimiser that leaves a value for good could make a loop."""
_MAX_EXCESS = 0.25  # runs beyond the least number, as a part of those of a shuffled order
_MIN_SEPARATION = (
    0.9  # of the places of values, where parallel workers mix neighbours; 1: no overlap
)
_MIN_BALANCE = 0.6  # of the variance of places that values could explain; 0.75: two halves
_MIN_INNER_SEPARATION = 0.4  # of an inner loop, once an outer one shows that there are loops
_MONOTONE = 0.97  # of the steps between rows that go the same way, where rows are sorted
_MIN_SORTED = 16
_MIN_ALONE = 0.95  # of the trials that differ from one of them in a single parameter


@dataclass(frozen=True)
class RunOrder:
    """What of the order of trials their settings fix.

    groups: rows of trials that could have run in any order, as far as loops tell
    loops: names of the parameters that make the groups, the outermost loop first; empty if none do
    """

    groups: tuple[Codes, ...]
    loops: tuple[str, ...]


def find_run_order(columns: Mapping[str, NDArray[np.generic]], count: int) -> RunOrder:
    """The groups that `count` trials fall into by their settings.

    Args:
        columns: name -> (trials,) values, in the order in which trials were started.

    A parameter is a loop if each of its values stands in one run of trials, but for a few runs
    more, where a shuffled order would have many; or if the places of its values hardly overlap.
    Within each run the next loop is looked for.
    """
    groups: list[Codes] = [np.arange(count)]
    codes = {name: np.unique(values, return_inverse=True)[1] for name, values in columns.items()}
    loops: list[str] = []
    while codes and len(groups) < count:
        by_name = {name: _divide(c, groups, bool(loops)) for name, c in codes.items()}
        divided = {name: parts for name, parts in by_name.items() if parts is not None}
        if not divided:
            break
        name = min(divided, key=lambda name: len(divided[name]))  # the outermost
        groups = divided[name]
        loops.append(name)
        del codes[name]
    return RunOrder(tuple(groups), tuple(loops))


def is_one_at_a_time(units: FloatArray) -> bool:
    """Whether nearly all trials have the most frequent value of all parameters but one.

    units: (trials, parameters)
    """
    if units.shape[1] < 2:
        return False
    usual = np.array([_most_frequent(column) for column in units.T])
    return bool(np.mean((units != usual).sum(axis=1) <= 1) >= _MIN_ALONE)


def _most_frequent(values: FloatArray) -> float:
    distinct, counts = np.unique(values, return_counts=True)
    return float(distinct[counts.argmax()])


def _divide(codes: Codes, groups: Sequence[Codes], inside: bool) -> list[Codes] | None:
    """The groups divided by a loop's values; None if the parameter is no loop.

    inside: an outer loop was found before
    """
    if _is_sorted(codes, groups):
        return [part for rows in groups for part in _split_runs(rows, codes)]
    if np.median(np.unique(codes, return_counts=True)[1]) < 2:
        return None  # values that do not recur make no loop
    excess, expected = _count_runs(codes, groups)
    if excess <= _MAX_EXCESS * max(expected, _MIN_RUNS) and (inside or expected >= _MIN_RUNS):
        return [part for rows in groups for part in _split_runs(rows, codes)]
    separation, balance = _separate(codes, groups)
    least = _MIN_INNER_SEPARATION if inside else _MIN_SEPARATION
    if separation >= least and (inside or (balance >= _MIN_BALANCE and expected >= _MIN_RUNS)):
        return [rows[codes[rows] == c] for rows in groups for c in np.unique(codes[rows])]
    return None


def _count_runs(codes: Codes, groups: Sequence[Codes]) -> tuple[float, float]:
    """Runs of equal values beyond one for each value: observed, and expected if shuffled."""
    observed = expected = 0.0
    for rows in groups:
        counts = np.bincount(codes[rows])
        n, least = len(rows), int(np.count_nonzero(counts))
        observed += np.count_nonzero(np.diff(codes[rows])) + 1 - least
        # Two neighbours differ with probability 1 - sum(c (c - 1)) / (n (n - 1)).
        expected += 1 + n - float(np.square(counts).sum()) / n - least
    return observed, expected


def _separate(codes: Codes, groups: Sequence[Codes]) -> tuple[float, float]:
    """How far values stand in places of their own, from 0 to 1, and how far they could.

    The sum of squares of places between values, relative to that of runs of these lengths; and that
    one relative to the sum of squares of all places, (n^3 - n) / 12.
    """
    between = possible = total = 0.0
    for rows in groups:
        inverse, counts = np.unique(codes[rows], return_inverse=True, return_counts=True)[1:]
        n, places = len(rows), np.arange(len(rows))
        means = np.bincount(inverse, weights=places) / counts
        between += float((counts * (means - (n - 1) / 2) ** 2).sum())
        total += (n**3 - n) / 12
        possible += (n**3 - n) / 12 - float((counts**3 - counts).sum()) / 12
    return (between / possible, possible / total) if possible else (0.0, 0.0)


def _is_sorted(codes: Codes, groups: Sequence[Codes]) -> bool:
    """Whether nearly all steps within groups that change the value go the same way."""
    steps = np.concatenate([np.diff(codes[rows]) for rows in groups])
    up, down = np.count_nonzero(steps > 0), np.count_nonzero(steps < 0)
    return bool(up + down >= _MIN_SORTED and max(up, down) >= _MONOTONE * (up + down))


def _split_runs(rows: Codes, codes: Codes) -> list[Codes]:
    return np.split(rows, np.flatnonzero(np.diff(codes[rows])) + 1)
