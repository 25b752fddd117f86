"""Merges parameters that say the same, such as `lr` and `log10_lr`: no trial tells them apart."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.data.assumption import Assumption
from analysis.external.sweep import ExternalTrial, Setting
from analysis.stats.intervals import FloatArray
from study.spec.dimension import Dimension

IntArray = NDArray[np.intp]

_MIN_TRIALS = 8
_MAX_PAIRS = 8  # of numbers that correspond without an order; more are points, not copies
_SAME_ORDER = 0.9995  # rank correlation beyond which two numbers rise and fall together


def merge_copies(
    dimensions: Mapping[str, Dimension], trials: Sequence[ExternalTrial]
) -> tuple[dict[str, Dimension], tuple[Assumption, ...]]:
    """The parameters without copies of earlier ones, and an assumption on each that has copies.

    Two are the same where they order all trials alike, forwards or backwards, or where each value
    of one goes with one value of the other. The first stands for all, under all their names.
    Trials with equal values of all parameters count once. Many pairs of numbers in no order are a
    list of points that was tried with several values of a third parameter, not copies.

    Args:
        dimensions: by the setting's name.
        trials: those with a value of each.
    """
    holders = list(
        {
            tuple(repr(trial.settings[name]) for name in dimensions): trial
            for trial in trials
            if dimensions.keys() <= trial.settings.keys()
        }.values()
    )
    if len(holders) < _MIN_TRIALS:
        return dict(dimensions), ()
    columns = {name: [trial.settings[name] for trial in holders] for name in dimensions}
    ranks = {name: _rank(values) for name, values in columns.items()}
    codes = {name: _code(values) for name, values in columns.items()}
    copies: dict[str, list[str]] = {}
    for name in dimensions:
        first = next((n for n in copies if _agree(ranks[n], ranks[name])), None)
        numeric = ranks[name] is not None
        first = first or next(
            (
                n
                for n in copies
                if _correspond(codes[n], codes[name])
                and not (numeric and ranks[n] is not None and _are_points(codes[n]))
            ),
            None,
        )
        copies.setdefault(first or name, []).append(name)
    kept = {
        names[0]: dataclasses.replace(dimensions[names[0]], label=" or ".join(names))
        if len(names) > 1
        else dimensions[names[0]]
        for names in copies.values()
    }
    return kept, tuple(_describe(names) for names in copies.values() if len(names) > 1)


def _describe(names: Sequence[str]) -> Assumption:
    text = (
        f"{' and '.join(names)} go together in all trials, which cannot tell which one acts: "
        f"analysed as one parameter over the range of {names[0]}"
    )
    return Assumption(text, f"--ignore {names[0]}")


def _rank(values: Sequence[Setting]) -> FloatArray | None:
    """(trials,) ranks, centred and of length 1; None of values that are not all numbers."""
    from scipy.stats import rankdata

    if any(value is None or isinstance(value, str | bool) for value in values):
        return None
    ranks = rankdata(np.array(values, dtype=float))
    centred = ranks - ranks.mean()
    length = float(np.linalg.norm(centred))
    return np.asarray(centred / length) if length > 0 else None


def _agree(first: FloatArray | None, second: FloatArray | None) -> bool:
    return first is not None and second is not None and abs(float(first @ second)) >= _SAME_ORDER


def _code(values: Sequence[Setting]) -> IntArray:
    """(trials,) a number for each distinct value; empty where values recur too seldom."""
    codes = np.unique([repr(value) for value in values], return_inverse=True)[1]
    seldom = 2 * (codes.max() + 1) > len(values)
    return np.asarray(codes[:0] if seldom else codes, dtype=np.intp)


def _are_points(codes: IntArray) -> bool:
    return int(codes.max()) + 1 > _MAX_PAIRS


def _correspond(first: IntArray, second: IntArray) -> bool:
    """Whether each value of one goes with one value of the other."""
    if not len(first) or not len(second) or first.max() != second.max():
        return False
    levels = int(first.max()) + 1
    return len(np.unique(first * levels + second)) == levels
