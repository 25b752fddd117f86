"""Analyzes a study: from its folder to all findings, computed once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.data.selection import (
    ComparableTrials,
    find_best_trial,
    find_default_trial,
    select_comparable,
)
from analysis.data.study import Study, load_study
from analysis.findings.best_and_default import BestAgainstDefault, compare_best_with_default
from analysis.findings.bounds_map import BoundsMap, map_bounds
from analysis.findings.breaking import BreakingAnalysis, analyze_breaking
from analysis.findings.partial_dependence import (
    Effect,
    PairEffect,
    estimate_effects,
    estimate_pair_effect,
)
from analysis.findings.seed_variance import SeedVariance, estimate_seed_variance
from analysis.findings.tunability import Tunability, estimate_tunability
from analysis.findings.variants import VariantComparison, compare_variants
from analysis.importance.over_time import SharesOverTime, estimate_shares_over_time
from analysis.importance.ped_anova import PedAnova, estimate_ped_anova
from analysis.importance.permutation_test import PermutationTest, run_permutation_tests
from analysis.importance.shares import Importance
from analysis.importance.sobol import SobolAnalysis, estimate_sobol_shares
from analysis.surrogate.unit_cube import make_axis, to_quantiles
from study.records.study_folder import StudyFolder

_SEED = 0
_MAX_PAIR_EFFECTS = 3
_MIN_SHARE_OF_PAIR = 0.01


@dataclass(frozen=True)
class Findings:
    """Everything a report shows; the same study gives the same findings.

    comparable: the trials behind shares, permutation tests and `over_time`
    sobol: shares of the variance of PSNR, with their surrogate
    ped_anova: what sets the best trials apart
    pair_effects: of the strongest interactions; like tunability, they need a good surrogate
    bounds: None unless both near and far vary
    variants: None unless the study has variants with trials that ended
    best, default: rows of the trials table; None if no trial finished, or none ran the defaults
    """

    study: Study
    comparable: ComparableTrials
    sobol: SobolAnalysis
    ped_anova: PedAnova
    permutation_tests: tuple[PermutationTest, ...]
    breaking: BreakingAnalysis
    bounds: BoundsMap | None
    effects: tuple[Effect, ...]
    pair_effects: tuple[PairEffect, ...]
    tunability: Tunability | None
    over_time: SharesOverTime
    seeds: SeedVariance
    best_and_default: BestAgainstDefault | None
    variants: VariantComparison | None
    best: pd.Series | None
    default: pd.Series | None

    @property
    def importance(self) -> Importance:
        """Which parameters matter: the shares without their surrogate."""
        return self.sobol.importance

    @property
    def headline(self) -> str:
        """The three most important parameters; or the significant ones and why none are ranked.

        For a study of variants, those that differ from the first.
        """
        if self.study.has_variants:
            return self.variants.headline if self.variants else "No run of a variant has ended yet."
        shares = self.importance.headline()
        if self.importance.significant_shares or not self.permutation_tests:
            return shares
        significant = [test.description for test in self.permutation_tests if test.significant]
        if not significant:
            return f"No single parameter moves the final PSNR significantly. {shares}"
        return (
            "Parameters that move the final PSNR significantly, tested one at a time: "
            f"{', '.join(significant)}. {shares}"
        )


def analyze_study(source: Study | StudyFolder | Path | str) -> Findings:
    """Analyzes all trials that a study has so far.

    Args:
        source: a study folder, the s3:// or gs:// URL of its copy, or a `Study` read from one (or
            from another tool's files, see `read_external_sweep`).

    Returns:
        All findings: importance, what breaks training, effects, tunability, seeds. Those that the
        trials cannot support carry a `refusal` or are None.

    Raises:
        InputError: there is no study.

    Example:
        >>> findings = analyze_study("studies/default")
        >>> print(findings.headline)
        >>> [(s.path, s.total, s.total_low, s.total_high) for s in findings.importance.shares]
    """
    study = source if isinstance(source, Study) else load_study(source)
    comparable = select_comparable(study.trials)
    dimensions = study.space.dimensions
    axes = [make_axis(dimension) for dimension in dimensions]
    units = to_quantiles(comparable.trials, dimensions)
    psnr = comparable.trials["psnr"].to_numpy(dtype=float)
    # One generator through all estimates, in this order: reports repeat to the last digit.
    rng = np.random.default_rng(_SEED)
    sobol = estimate_sobol_shares(units, psnr, axes, rng)
    model = sobol.model if sobol.importance.ranked else None
    best = find_best_trial(study.trials)
    return Findings(
        study=study,
        comparable=comparable,
        sobol=sobol,
        ped_anova=estimate_ped_anova(units, psnr, axes, rng),
        permutation_tests=run_permutation_tests(units, psnr, axes, rng),
        breaking=analyze_breaking(study.trials, dimensions, rng),
        bounds=map_bounds(study.trials),
        effects=estimate_effects(study, sobol, rng),
        pair_effects=_estimate_pair_effects(study, sobol, rng),
        tunability=(
            estimate_tunability(study, model, best, rng)
            if model and study.defaults and not study.space.outside(study.defaults)
            else None
        ),
        over_time=estimate_shares_over_time(comparable.trials, study.curves, units, axes, rng),
        seeds=estimate_seed_variance(study),
        best_and_default=compare_best_with_default(study),
        variants=compare_variants(study),
        best=best,
        default=find_default_trial(study),
    )


def _estimate_pair_effects(
    study: Study, sobol: SobolAnalysis, rng: np.random.Generator
) -> tuple[PairEffect, ...]:
    """Effects of the strongest pairs, if the interval of their share excludes 0."""
    model, importance = sobol.model, sobol.importance
    if model is None or not importance.ranked:
        return ()
    dimensions = study.space.dimensions
    places = {dimension.path: j for j, dimension in enumerate(dimensions)}
    strongest = [p for p in importance.pairs[:_MAX_PAIR_EFFECTS] if p.low > _MIN_SHARE_OF_PAIR]
    return tuple(
        estimate_pair_effect(dimensions, places[pair.paths[0]], places[pair.paths[1]], model, rng)
        for pair in strongest
    )
