"""A study folder -> everything that is to be said about it, computed once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.data.selection import ComparableTrials, find_best_trial, select_comparable, find_default_trial
from analysis.data.study import Study, load_study
from analysis.findings.bounds_map import BoundsMap, map_bounds
from analysis.findings.collapse import CollapseAnalysis, analyze_collapse
from analysis.findings.partial_dependence import Effect, PairEffect, estimate_effects, estimate_pair_effect
from analysis.findings.seed_variance import SeedVariance, estimate_seed_variance
from analysis.findings.tunability import Tunability, estimate_tunability
from analysis.importance.over_time import SharesOverTime, estimate_shares_over_time
from analysis.importance.ped_anova import PedAnova, estimate_ped_anova
from analysis.importance.permutation_test import PermutationTest, run_permutation_tests
from analysis.importance.shares import Importance
from analysis.importance.sobol import SobolAnalysis, estimate_sobol_shares
from analysis.surrogate.unit_cube import make_axis, to_quantiles
from study.records.study_folder import StudyFolder

_SEED = 0
_MAPS = 3
_WORTH_A_MAP = 0.01


@dataclass(frozen=True)
class Findings:
    """Everything a report shows; the same study gives the same findings.

    best, default: rows of the trials table, None where there is none such
    permutation_tests: what stands beyond chance without a surrogate; tuning: None where none predicts well
    bounds: None where near and far did not both vary
    """

    study: Study
    comparable: ComparableTrials
    sobol: SobolAnalysis
    ped_anova: PedAnova
    permutation_tests: tuple[PermutationTest, ...]
    collapse: CollapseAnalysis
    bounds: BoundsMap | None
    effects: tuple[Effect, ...]
    pair_effects: tuple[PairEffect, ...]
    tunability: Tunability | None
    over_time: SharesOverTime
    seeds: SeedVariance
    best: pd.Series | None
    default: pd.Series | None

    @property
    def importance(self) -> Importance:
        return self.sobol.importance

    @property
    def headline(self) -> str:
        """The three parameters that matter most; or what is certain, and why none are ranked."""
        said = self.importance.headline()
        if self.importance.significant_shares or not self.permutation_tests:
            return said
        certain = [signal.description for signal in self.permutation_tests if signal.significant]
        if not certain:
            return f"No parameter moves the final PSNR beyond chance, one at a time. {said}"
        return (
            f"What moves the final PSNR beyond chance, one at a time: {', '.join(certain)}. {said}"
        )


def analyze_study(source: Study | StudyFolder | Path | str) -> Findings:
    """What a study's trials say so far; raises `InputError` where there is no study."""
    study = source if isinstance(source, Study) else load_study(source)
    comparable = select_comparable(study.trials)
    dimensions = study.space.dimensions
    axes = [make_axis(dimension) for dimension in dimensions]
    units = to_quantiles(comparable.trials, dimensions)
    psnr = comparable.trials["psnr"].to_numpy(dtype=float)
    rng = np.random.default_rng(_SEED)
    sobol = estimate_sobol_shares(units, psnr, axes, rng)
    model = sobol.model if sobol.importance.ranked else None
    best = find_best_trial(study.trials)
    paths = [dimension.path for dimension in dimensions]
    return Findings(
        study=study,
        comparable=comparable,
        sobol=sobol,
        ped_anova=estimate_ped_anova(units, psnr, axes, rng),
        permutation_tests=run_permutation_tests(units, psnr, axes, rng),
        collapse=analyze_collapse(study.trials, dimensions, rng),
        bounds=map_bounds(study.trials),
        effects=estimate_effects(study, sobol, rng),
        pair_effects=_planes(study, sobol, rng),
        tunability=estimate_tunability(study, model, best, rng) if model and study.defaults else None,
        over_time=estimate_shares_over_time(comparable.trials, study.curves, units, axes, rng),
        seeds=estimate_seed_variance(study.trials, paths, model, rng),
        best=best,
        default=find_default_trial(study),
    )


def _planes(study: Study, sobol: SobolAnalysis, rng: np.random.Generator) -> tuple[PairEffect, ...]:
    """Maps of the strongest pairs, of those whose interval leaves zero behind."""
    model, importance = sobol.model, sobol.importance
    if model is None or not importance.ranked:
        return ()
    dimensions = study.space.dimensions
    places = {dimension.path: j for j, dimension in enumerate(dimensions)}
    strong = [pair for pair in importance.pairs[:_MAPS] if pair.low > _WORTH_A_MAP]
    return tuple(
        estimate_pair_effect(dimensions, places[pair.paths[0]], places[pair.paths[1]], model, rng)
        for pair in strong
    )
