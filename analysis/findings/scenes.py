"""Analyzes a study of several scenes: each scene alone, and all of them with scene as a block.

Over the scenes every number rests on points, not on runs: the runs of a point share its
configuration, so that they say less than as many runs of different ones. Averaging over the scenes
of a point is the analysis of complete blocks: PSNR centred within each scene gives the same shares.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.data.points import ScenePoints, collect_points
from analysis.data.study import Study, design_folds, list_scenes, load_study
from analysis.findings.analyze_study import Findings, analyze_study
from analysis.findings.breaking import BreakingAnalysis, analyze_breaking
from analysis.findings.seed_variance import classify_replicates
from analysis.findings.variants import VariantComparison, average_variants
from analysis.importance.permutation_test import PermutationTest, run_permutation_tests
from analysis.importance.shares import Importance
from analysis.importance.sobol import PureError, estimate_sobol_shares
from analysis.importance.trained_density import weigh_by_trained
from analysis.stats.intervals import SIGNIFICANCE_LEVEL
from analysis.stats.rates import clopper_pearson_interval
from analysis.stats.threads import single_threaded
from analysis.surrogate.unit_cube import make_axis, to_quantiles
from study.records.outcomes import BROKEN
from study.records.study_folder import StudyFolder

_SEED = 0


@dataclass(frozen=True)
class MeanRate:
    """The part of the runs that break, averaged over the scenes, with its 95 % interval.

    The interval is that of as many runs as there are points: never narrower than what the points
    tell, however alike the runs of a point are.
    """

    rate: float
    low: float
    high: float
    points: int


@dataclass(frozen=True)
class SceneDifference:
    """A parameter whose effect differs between two scenes.

    p_value: of a permutation test on the differences of the points that trained on both, corrected
    for all parameters and pairs of scenes
    """

    path: str
    label: str
    scenes: tuple[str, str]
    p_value: float


@dataclass(frozen=True)
class ScenesFindings:
    """Everything that the page of a study of several scenes shows.

    by_scene: label -> the findings on that scene alone
    points: explored points that ran on every scene to their end; the rest is about these
    importance: parts of the variance of the metric averaged over the scenes, among the points that
    trained on all of them; tests: which parameters have an effect on it
    breaking: of the points that break on at least one scene
    differences: parameters that act differently on two scenes, of lowest p-value first
    variants: of a study of variants, how they compare on the average of the scenes
    """

    folder: StudyFolder
    name: str
    by_scene: Mapping[str, Findings]
    points: ScenePoints
    importance: Importance
    tests: tuple[PermutationTest, ...]
    breaking: BreakingAnalysis
    mean_rate: MeanRate
    differences: tuple[SceneDifference, ...]
    variants: VariantComparison | None

    @property
    def labels(self) -> tuple[str, ...]:
        """Of the scenes."""
        return tuple(self.by_scene)

    @property
    def first(self) -> Study:
        """The study on its first scene, for what scenes have in common."""
        return next(iter(self.by_scene.values())).study

    @property
    def best_shared(self) -> pd.Series | None:
        """The scores, by scene, of the explored point of the best mean; None if none trained.

        Its name is the number of the point's first trial.
        """
        scores = self.points.scores[self.points.trained]
        if scores.empty:
            return None
        return pd.Series(scores.iloc[int(scores.mean(axis=1).argmax())])


def analyze_scenes(folder: StudyFolder) -> ScenesFindings:
    """Analyzes the trials that a study of several scenes has so far."""
    studies = {label: load_study(folder, label) for label in list_scenes(folder)}
    by_scene = {label: analyze_study(study) for label, study in studies.items()}
    with single_threaded():
        return _analyze(folder, by_scene)


def _analyze(folder: StudyFolder, by_scene: Mapping[str, Findings]) -> ScenesFindings:
    studies = {label: findings.study for label, findings in by_scene.items()}
    points = collect_points({k: (s, s.trials["phase"] == "explore") for k, s in studies.items()})
    repeats = collect_points(
        {k: (s, classify_replicates(s) == "explored") for k, s in studies.items()}
    )
    rng = np.random.default_rng(_SEED)
    breaking = analyze_breaking(points.table, points.dimensions, rng)
    first = next(iter(studies.values()))
    runs = first.trials[first.trials["number"].isin(points.table["number"])]
    folds, pure_error = design_folds(first, runs), estimate_pure_error(points, repeats)
    importance, tests = estimate_pooled_shares(points, breaking, folds, pure_error, rng)
    return ScenesFindings(
        folder=folder,
        name=first.name,
        by_scene=by_scene,
        points=points,
        importance=importance,
        tests=tests,
        breaking=breaking,
        mean_rate=estimate_mean_rate(points),
        differences=find_differences(points, rng),
        variants=average_variants(studies) if first.has_variants else None,
    )


def estimate_pure_error(points: ScenePoints, repeats: ScenePoints) -> PureError:
    """The spread of the mean over the scenes between the runs of a configuration run again."""
    paths = [dimension.path for dimension in points.dimensions]
    tables = (each.table[each.trained] for each in (points, repeats))
    groups = pd.concat(tables).groupby(paths, observed=True)["score"]
    squares = float((groups.var(ddof=0) * groups.size()).sum())
    return PureError(squares, int((groups.size() - 1).sum()))


def estimate_pooled_shares(
    points: ScenePoints,
    breaking: BreakingAnalysis,
    folds: NDArray[np.intp] | None,
    pure_error: PureError,
    rng: np.random.Generator,
) -> tuple[Importance, tuple[PermutationTest, ...]]:
    """Parts of the variance of the mean over the scenes, and which parameters have an effect.

    folds: (points,) for cross-validation, as `design_folds` gives them; None for random ones
    """
    units = to_quantiles(points.table, points.dimensions)
    trained = points.trained.to_numpy()
    axes = weigh_by_trained(
        [make_axis(dimension) for dimension in points.dimensions],
        units,
        trained.astype(float),
        {parameter.path for parameter in breaking.significant_parameters},
    )
    kept = points.table[trained]
    scores = kept["score"].to_numpy(dtype=float)
    own_folds = None if folds is None else folds[trained]
    shares = estimate_sobol_shares(units[trained], scores, axes, rng, own_folds, pure_error)
    refusal = re.sub(r"\brun(s?)\b", r"point\1", shares.importance.refusal)
    importance = replace(shares.importance, refusal=refusal)
    return importance, run_permutation_tests(units[trained], scores, axes, rng)


def estimate_mean_rate(points: ScenePoints) -> MeanRate:
    """How many runs break on the average scene, over the points that ran on all of them."""
    broken = points.outcomes.isin(BROKEN)
    count = len(broken)
    mean = float(broken.to_numpy().mean()) if count else 0.0
    # Whole numbers of points on either side of it.
    low, _ = clopper_pearson_interval(math.floor(mean * count + 1e-9), count)
    _, high = clopper_pearson_interval(math.ceil(mean * count - 1e-9), count)
    return MeanRate(mean, low, high, count)


def find_differences(points: ScenePoints, rng: np.random.Generator) -> tuple[SceneDifference, ...]:
    """The parameters that have an effect on the difference between two scenes."""
    axes = [make_axis(dimension) for dimension in points.dimensions]
    units = to_quantiles(points.table, points.dimensions)
    pairs = list(itertools.combinations(points.labels, 2))
    found = []
    for a, b in pairs:
        both = ~points.outcomes[[a, b]].isin(BROKEN).any(axis=1).to_numpy()
        difference = (points.scores[a] - points.scores[b]).to_numpy(dtype=float)
        tests = run_permutation_tests(units[both], difference[both], axes, rng)
        found += [
            SceneDifference(test.path, test.label, (a, b), min(test.p_value * len(pairs), 1.0))
            for test in tests
        ]
    significant = [each for each in found if each.p_value < SIGNIFICANCE_LEVEL]
    return tuple(sorted(significant, key=lambda each: each.p_value))
