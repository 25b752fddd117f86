"""Analyzes a study: from its folder to all findings, computed once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.data.design import Branch
from analysis.data.selection import (
    ComparableTrials,
    find_best_trial,
    find_default_trial,
    select_with_failures,
)
from analysis.data.study import Study, design_folds, load_study
from analysis.findings.best_and_default import BestAgainstDefault, compare_best_with_default
from analysis.findings.bounds_map import BoundsMap, map_bounds
from analysis.findings.branches import list_branch_studies
from analysis.findings.breaking import BreakingAnalysis
from analysis.findings.front import Front, find_front
from analysis.findings.partial_dependence import (
    Effect,
    PairEffect,
    estimate_effects,
    estimate_pair_effect,
)
from analysis.findings.rank_parameters import SEED, rank_parameters
from analysis.findings.refusals import name_runs
from analysis.findings.seed_variance import SeedVariance
from analysis.findings.tunability import Tunability, estimate_tunability
from analysis.findings.variants import VariantComparison, compare_variants
from analysis.importance.conditional_test import (
    ConditionalTest,
    clip_below_best,
    run_conditional_tests,
)
from analysis.importance.over_time import (
    SharesOverTime,
    estimate_shares_over_time,
    refuse_over_time,
)
from analysis.importance.ped_anova import PedAnova, estimate_ped_anova, refuse_ped_anova
from analysis.importance.permutation_test import PermutationTest, run_permutation_tests
from analysis.importance.shares import Importance
from analysis.importance.sobol import SobolAnalysis, estimate_sobol_shares
from analysis.importance.summarize_draws import loosen
from analysis.stats.threads import single_threaded
from analysis.surrogate.unit_cube import make_axis, to_quantiles
from study.records.study_folder import StudyFolder

_MAX_PAIR_EFFECTS = 3
_MIN_SHARE_OF_PAIR = 0.01


@dataclass(frozen=True)
class Findings:
    """Everything a report shows; the same study gives the same findings.

    comparable: the trials behind shares, permutation tests and `over_time`
    sobol: parts of the variance of PSNR among runs that trained, with their surrogate
    with_failures: the same over runs that trained or broke, those at their last PSNR
    ped_anova: what sets the best trials apart
    permutation_tests: which parameters have an effect; empty unless trials are from the prior
    conditional_tests: for other trials, which have an effect given all other parameters
    top_conditional_tests: for other trials, which set the best quarter of them apart
    pair_effects: of the strongest interactions; like tunability, they need a good surrogate
    bounds: None unless both near and far vary
    variants: None unless the study has variants with trials that ended
    best, default: rows of the trials table; None if no trial finished, or none ran the defaults
    branches: another tool's trials with parameters of their own, each analysed alone
    front: None for a study of one metric
    other_metrics: the same for each further metric of the study, as if it had been the only one
    """

    study: Study
    comparable: ComparableTrials
    sobol: SobolAnalysis
    with_failures: Importance
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
    conditional_tests: tuple[ConditionalTest, ...] = ()
    top_conditional_tests: tuple[ConditionalTest, ...] = ()
    branches: tuple[BranchFindings, ...] = ()
    front: Front | None = None
    other_metrics: tuple[Findings, ...] = ()

    @property
    def importance(self) -> Importance:
        """Which parameters matter: the shares without their surrogate."""
        return self.sobol.importance


@dataclass(frozen=True)
class BranchFindings:
    """The analysis of the trials of one branch, over shared parameters and its own."""

    branch: Branch
    findings: Findings


def analyze_study(source: Study | StudyFolder | Path | str) -> Findings:
    """Analyzes all trials that a study has so far.

    Args:
        source: a study folder, the s3:// or gs:// URL of its copy, or a `Study` read from one (or
            from another tool's files, see `read_external_study`).

    Returns:
        All findings: importance, what breaks training, effects, tunability, seeds. Those that the
        trials cannot support carry a `refusal` or are None.

    Raises:
        InputError: there is no study.

    Example:
        >>> findings = analyze_study("studies/default")
        >>> [(s.path, s.share, s.share_low, s.share_high) for s in findings.importance.shares]
    """
    study = source if isinstance(source, Study) else load_study(source)
    with single_threaded():
        findings = _analyze(study)
        others = tuple(_analyze(study.ranked_by(metric)) for metric in study.metrics[1:])
    return replace(findings, front=find_front(study), other_metrics=others)


def _analyze(study: Study) -> Findings:
    # One generator through all estimates, in this order: reports repeat to the last digit.
    rng = np.random.default_rng(SEED)
    ranking = rank_parameters(study, rng)
    comparable, axes, units = ranking.comparable, ranking.axes, ranking.units
    scores, folds, sobol = ranking.scores, ranking.folds, ranking.sobol
    is_even = not study.limitation
    model = sobol.model if sobol.importance.ranked else None
    best = find_best_trial(study.trials)
    return Findings(
        study=study,
        comparable=comparable,
        sobol=sobol,
        with_failures=_estimate_with_failures(study, sobol.importance, rng),
        ped_anova=name_runs(
            study,
            estimate_ped_anova(units, scores, axes, rng)
            if is_even
            else refuse_ped_anova(len(scores), study.limitation),
        ),
        permutation_tests=run_permutation_tests(units, scores, axes, rng) if is_even else (),
        conditional_tests=() if is_even else run_conditional_tests(units, scores, axes, rng),
        top_conditional_tests=(
            () if is_even else run_conditional_tests(units, clip_below_best(scores), axes, rng)
        ),
        breaking=ranking.breaking,
        bounds=map_bounds(study.trials),
        effects=estimate_effects(study, sobol, rng),
        pair_effects=_estimate_pair_effects(study, sobol),
        tunability=(
            estimate_tunability(study, model, best, rng)
            if model and study.defaults and not study.space.outside(study.defaults)
            else None
        ),
        over_time=name_runs(
            study,
            estimate_shares_over_time(
                comparable.trials, study.curves, units, axes, sobol.importance, rng, folds
            )
            if is_even
            else refuse_over_time(axes, study.limitation),
        ),
        seeds=ranking.seeds,
        best_and_default=compare_best_with_default(study),
        variants=compare_variants(study),
        best=best,
        default=find_default_trial(study),
        branches=tuple(
            BranchFindings(branch, _analyze(branch_study))
            for branch, branch_study in list_branch_studies(study)
        ),
    )


def _estimate_with_failures(
    study: Study, trained: Importance, rng: np.random.Generator
) -> Importance:
    """Parts of the variance of the last PSNR over runs that trained or broke.

    Of what trials cost there are none: runs that broke ended early, which makes them no better.
    """
    runs, dimensions = select_with_failures(study.trials), study.space.dimensions
    if len(runs) == trained.trials or study.metric.is_cost:
        return trained  # none broke, or it does not matter
    axes = [make_axis(dimension) for dimension in dimensions]
    units, scores = to_quantiles(runs, dimensions), runs["score"].to_numpy(dtype=float)
    folds = design_folds(study, runs)
    return loosen(estimate_sobol_shares(units, scores, axes, rng, folds).importance)


def _estimate_pair_effects(study: Study, sobol: SobolAnalysis) -> tuple[PairEffect, ...]:
    """Effects of the strongest pairs, if the interval of their share excludes 0."""
    model, importance = sobol.model, sobol.importance
    if model is None or not importance.ranked:
        return ()
    dimensions = study.space.dimensions
    places = {dimension.path: j for j, dimension in enumerate(dimensions)}
    strongest = [p for p in importance.pairs[:_MAX_PAIR_EFFECTS] if p.low > _MIN_SHARE_OF_PAIR]
    return tuple(
        estimate_pair_effect(dimensions, places[pair.paths[0]], places[pair.paths[1]], model)
        for pair in strongest
    )
