"""Which parameters make training collapse: rates with Wilson intervals and Fisher's exact test.

Over the explore trials that completed or collapsed: for each parameter the rate of collapse in each
of its choices or of four equally likely ranges, and for each pair of parameters the same in a grid.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.importance.sobol import SobolAnalysis, estimate_sobol_shares
from analysis.stats.intervals import SIGNIFICANCE_LEVEL, FloatArray
from analysis.stats.rates import (
    BinIndices,
    BreakRate,
    adjust_holm,
    count_breaks,
    rates_from_counts,
    sample_fisher_p_value,
)
from analysis.surrogate.unit_cube import make_axis, to_quantiles
from study.spec.space import Dimension

_BINS = 4
_PAIR_BINS = 3  # fewer: a pair has their square in cells


@dataclass(frozen=True)
class ParameterBreaking:
    """Collapse against one parameter.

    p_value: of Fisher's exact test that all `rates` are equal, Holm-corrected for all parameters
    """

    path: str
    label: str
    rates: tuple[BreakRate, ...]
    p_value: float

    @property
    def significant(self) -> bool:
        """Whether the corrected p-value is below `SIGNIFICANCE_LEVEL`."""
        return self.p_value < SIGNIFICANCE_LEVEL

    @property
    def sentence(self) -> str:
        """Where training collapses most and least often, with intervals; no full stop."""
        tried = [rate for rate in self.rates if rate.trials]
        worst, safest = max(tried, key=lambda r: r.rate), min(tried, key=lambda r: r.rate)
        return (
            f"{worst.formatted} of trials collapse with {self.label} {worst.name}, "
            f"{safest.formatted} with {safest.name}"
        )


@dataclass(frozen=True)
class PairBreaking:
    """Collapse against two parameters at once.

    names: ranges or choices of the first and of the second parameter
    rates: for each range or choice of the second parameter, those of the first
    p_value: of "one of the two has no effect while the other is held fixed"; Holm-corrected for all
    pairs
    """

    paths: tuple[str, str]
    labels: tuple[str, str]
    rates: tuple[tuple[BreakRate, ...], ...]
    names: tuple[tuple[str, ...], tuple[str, ...]]
    p_value: float

    @property
    def significant(self) -> bool:
        """Whether the corrected p-value is below `SIGNIFICANCE_LEVEL`."""
        return self.p_value < SIGNIFICANCE_LEVEL


@dataclass(frozen=True)
class BreakingAnalysis:
    """All findings on collapse; parameters, and pairs, of lowest p-value first.

    sobol: shares of the variance of "collapsed: 1 or 0", whose surrogate predicts the probability
    refusal: why there is nothing to compare; empty if there is
    """

    trials: int
    collapsed: int
    parameters: tuple[ParameterBreaking, ...]
    pairs: tuple[PairBreaking, ...]
    sobol: SobolAnalysis
    refusal: str

    @property
    def ranked(self) -> bool:
        """Whether some trials collapsed and some did not."""
        return not self.refusal

    @property
    def significant_parameters(self) -> tuple[ParameterBreaking, ...]:
        """The parameters with which the rate of collapse differs significantly."""
        return tuple(p for p in self.parameters if p.significant) if self.ranked else ()

    @property
    def significant_pairs(self) -> tuple[PairBreaking, ...]:
        """The pairs of which each parameter matters while the other is held fixed."""
        return tuple(p for p in self.pairs if p.significant) if self.ranked else ()


def analyze_breaking(
    trials: pd.DataFrame, dimensions: Sequence[Dimension], rng: np.random.Generator
) -> BreakingAnalysis:
    """Analyzes collapse against each parameter and each pair of parameters.

    Args:
        trials: a study's trials table; only explore trials that completed or collapsed count, at
            any budget.
        dimensions: the varied parameters, each a column of `trials`.
        rng: draws tables, bootstrap samples and shuffles; the same state gives the same result.

    Returns:
        Rates and p-values; with a `refusal` if no trial or every trial collapsed.

    Example:
        >>> study = load_study("studies/default")
        >>> collapse = analyze_breaking(study.trials, study.space.dimensions, rng)
        >>> [parameter.sentence for parameter in collapse.significant_parameters]
    """
    ended = select_trained_or_broken(trials)
    collapsed = np.asarray(ended["state"] == "collapsed", dtype=float)
    units = to_quantiles(ended, dimensions)
    axes = [make_axis(d) for d in dimensions]
    sobol = estimate_sobol_shares(units, collapsed, axes, rng)
    parameters = [_test_parameter(d, units[:, j], collapsed, rng) for j, d in enumerate(dimensions)]
    corrected = adjust_holm([parameter.p_value for parameter in parameters])
    parameters = [replace(c, p_value=p) for c, p in zip(parameters, corrected, strict=True)]
    parameters.sort(key=lambda parameter: parameter.p_value)
    pairs = [
        _test_pair((dimensions[j], dimensions[k]), units[:, [j, k]], collapsed, rng)
        for j, k in itertools.combinations(range(len(dimensions)), 2)
    ]
    corrected = adjust_holm([pair.p_value for pair in pairs])
    pairs = [replace(pair, p_value=p) for pair, p in zip(pairs, corrected, strict=True)]
    pairs.sort(key=lambda pair: pair.p_value)
    count = int(collapsed.sum())
    refusal = _reason_to_refuse(len(ended), count)
    return BreakingAnalysis(len(ended), count, tuple(parameters), tuple(pairs), sobol, refusal)


def select_trained_or_broken(trials: pd.DataFrame) -> pd.DataFrame:
    """The explore trials that no scheduler stopped and that raised no error."""
    explore = trials["phase"] == "explore"
    return trials[explore & trials["state"].isin(["completed", "collapsed"])]


def _reason_to_refuse(trials: int, collapsed: int) -> str:
    if collapsed == 0:
        return f"none of {trials} explored trials collapsed."
    if collapsed == trials:
        return f"all {trials} explored trials collapsed."
    return ""


def _test_parameter(
    dimension: Dimension, places: FloatArray, collapsed: FloatArray, rng: np.random.Generator
) -> ParameterBreaking:
    """Rates and the uncorrected p-value; places: (trials,) quantiles of the parameter."""
    names, bins = _bin_quantiles(dimension, places, _BINS)
    counts = count_breaks(bins, collapsed, len(names))
    p_value = sample_fisher_p_value([counts], rng)
    rates = tuple(rates_from_counts(names, counts))
    return ParameterBreaking(dimension.path, dimension.label, rates, p_value)


def _test_pair(
    dimensions: tuple[Dimension, Dimension],
    places: FloatArray,
    collapsed: FloatArray,
    rng: np.random.Generator,
) -> PairBreaking:
    """Rates and the uncorrected p-value; places: (trials, 2) quantiles of both parameters."""
    first, second = dimensions
    columns, x = _bin_quantiles(first, places[:, 0], _PAIR_BINS)
    rows, y = _bin_quantiles(second, places[:, 1], _PAIR_BINS)
    flat = count_breaks(y * len(columns) + x, collapsed, len(rows) * len(columns))
    counts = flat.reshape(len(rows), len(columns), 2)
    # Test each parameter within strata of the other; both must matter, so the larger p counts.
    p_value = max(
        sample_fisher_p_value(list(strata), rng) for strata in (counts, counts.swapaxes(0, 1))
    )
    rates = tuple(
        tuple(rates_from_counts([f"{column}, {row}" for column in columns], row_counts))
        for row, row_counts in zip(rows, counts, strict=True)
    )
    return PairBreaking(
        (first.path, second.path),
        (first.label, second.label),
        rates,
        (tuple(columns), tuple(rows)),
        p_value,
    )


def _bin_quantiles(
    dimension: Dimension, places: FloatArray, bins: int
) -> tuple[list[str], BinIndices]:
    """Names of the choices, or of equally likely ranges, and which of them each trial is in."""
    count = len(dimension.choices) or bins
    indices = np.clip((places * count).astype(np.intp), 0, count - 1)
    if dimension.choices:
        return [str(choice) for choice in dimension.choices], indices
    edges = [dimension.from_unit(i / count) for i in range(count + 1)]
    names = [f"{float(a):.3g} to {float(b):.3g}" for a, b in itertools.pairwise(edges)]
    return names, indices
