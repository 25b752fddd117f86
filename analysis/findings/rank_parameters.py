"""Ranks a study's parameters: the first part of its analysis, on which all others rest."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.data.selection import (
    ComparableTrials,
    select_comparable,
    select_trained_or_broken,
)
from analysis.data.study import Study, design_folds
from analysis.findings.breaking import BreakingAnalysis, analyze_breaking
from analysis.findings.refusals import name_runs
from analysis.findings.seed_variance import SeedVariance, estimate_seed_variance
from analysis.importance.shares import Importance
from analysis.importance.sobol import PureError, SobolAnalysis, estimate_sobol_shares
from analysis.importance.trained_density import weigh_by_trained
from analysis.stats.intervals import FloatArray
from analysis.surrogate.unit_cube import Axis, make_axis, to_quantiles
from study.records.outcomes import TRAINED

SEED = 0
"""Of the generator that all estimates of a study share."""


@dataclass(frozen=True)
class Ranking:
    """What breaks training, the shares of the variance of the metric, and what both rest on.

    units: (comparable trials, axes) quantiles; scores, folds: of the same trials
    """

    comparable: ComparableTrials
    axes: list[Axis]
    units: FloatArray
    scores: FloatArray
    folds: NDArray[np.intp] | None
    breaking: BreakingAnalysis
    seeds: SeedVariance
    sobol: SobolAnalysis

    @property
    def importance(self) -> Importance:
        """Which parameters matter: the shares without their surrogate."""
        return self.sobol.importance


def rank_parameters(study: Study, rng: np.random.Generator | None = None) -> Ranking:
    """Ranks the parameters of a study from the trials that it has so far.

    rng: a fresh one of `SEED` has the figures of `analyze_study`
    """
    rng = np.random.default_rng(SEED) if rng is None else rng
    comparable = select_comparable(study.trials, study.metric)
    dimensions = study.space.dimensions
    breaking = analyze_breaking(study.trials, dimensions, rng)
    seeds = estimate_seed_variance(study)
    axes = _weigh_axes(study, breaking)
    units = to_quantiles(comparable.trials, dimensions)
    scores = comparable.trials["score"].to_numpy(dtype=float)
    folds = design_folds(study, comparable.trials)
    pure_error = PureError(seeds.pure_ss, seeds.pure_df)
    is_even = not study.limitation
    sobol = estimate_sobol_shares(units, scores, axes, rng, folds, pure_error, is_even=is_even)
    sobol = replace(sobol, importance=name_runs(study, sobol.importance))
    return Ranking(comparable, axes, units, scores, folds, breaking, seeds, sobol)


def _weigh_axes(study: Study, breaking: BreakingAnalysis) -> list[Axis]:
    """The axes of the study, under the distribution of the runs that trained."""
    dimensions = study.space.dimensions
    runs = select_trained_or_broken(study.trials)
    return weigh_by_trained(
        [make_axis(dimension) for dimension in dimensions],
        to_quantiles(runs, dimensions),
        np.asarray(runs["outcome"] == TRAINED, dtype=float),
        {parameter.path for parameter in breaking.significant_parameters},
    )
