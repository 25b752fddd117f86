"""A study folder -> everything that is to be said about it, computed once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.data.selection import Comparable, best_trial, comparable, default_trial
from analysis.data.study import Study, load_study
from analysis.findings.bounds_map import BoundsMap, bounds_map
from analysis.findings.collapse import Collapse, collapse
from analysis.findings.partial_dependence import Effect, Plane, effects, plane
from analysis.findings.seed_variance import Seeds, seeds
from analysis.findings.tunability import Tunability, tunability
from analysis.importance.over_time import OverTime, over_time
from analysis.importance.ped_anova import ReachingTop, reaching_top
from analysis.importance.permutation_test import Signal, signals
from analysis.importance.shares import Importance
from analysis.importance.sobol import Attribution, variance_shares
from analysis.surrogate.unit_cube import axis, quantiles
from study.records.study_folder import StudyFolder

_SEED = 0
_MAPS = 3
_WORTH_A_MAP = 0.01


@dataclass(frozen=True)
class Findings:
    """Everything a report shows; the same study gives the same findings.

    best, default: rows of the trials table, None where there is none such
    signals: what stands beyond chance without a surrogate; tuning: None where none predicts well
    bounds: None where near and far did not both vary
    """

    study: Study
    used: Comparable
    attribution: Attribution
    top: ReachingTop
    signals: tuple[Signal, ...]
    collapse: Collapse
    bounds: BoundsMap | None
    effects: tuple[Effect, ...]
    planes: tuple[Plane, ...]
    tuning: Tunability | None
    over_time: OverTime
    seeds: Seeds
    best: pd.Series | None
    default: pd.Series | None

    @property
    def importance(self) -> Importance:
        return self.attribution.importance

    @property
    def headline(self) -> str:
        """The three parameters that matter most; or what is certain, and why none are ranked."""
        said = self.importance.headline()
        if self.importance.live or not self.signals:
            return said
        certain = [signal.words for signal in self.signals if signal.beyond_chance]
        if not certain:
            return f"No parameter moves the final PSNR beyond chance, one at a time. {said}"
        return (
            f"What moves the final PSNR beyond chance, one at a time: {', '.join(certain)}. {said}"
        )


def findings(source: Study | StudyFolder | Path | str) -> Findings:
    """What a study's trials say so far; raises `InputError` where there is no study."""
    study = source if isinstance(source, Study) else load_study(source)
    used = comparable(study.trials)
    dimensions = study.space.dimensions
    axes = [axis(dimension) for dimension in dimensions]
    units = quantiles(used.trials, dimensions)
    psnr = used.trials["psnr"].to_numpy(dtype=float)
    rng = np.random.default_rng(_SEED)
    attribution = variance_shares(units, psnr, axes, rng)
    model = attribution.model if attribution.importance.ranked else None
    best = best_trial(study.trials)
    paths = [dimension.path for dimension in dimensions]
    return Findings(
        study=study,
        used=used,
        attribution=attribution,
        top=reaching_top(units, psnr, axes, rng),
        signals=signals(units, psnr, axes, rng),
        collapse=collapse(study.trials, dimensions, rng),
        bounds=bounds_map(study.trials),
        effects=effects(study, attribution, rng),
        planes=_planes(study, attribution, rng),
        tuning=tunability(study, model, best, rng) if model and study.defaults else None,
        over_time=over_time(used.trials, study.curves, units, axes, rng),
        seeds=seeds(study.trials, paths, model, rng),
        best=best,
        default=default_trial(study),
    )


def _planes(study: Study, attribution: Attribution, rng: np.random.Generator) -> tuple[Plane, ...]:
    """Maps of the strongest pairs, of those whose interval leaves zero behind."""
    model, importance = attribution.model, attribution.importance
    if model is None or not importance.ranked:
        return ()
    dimensions = study.space.dimensions
    places = {dimension.path: j for j, dimension in enumerate(dimensions)}
    strong = [pair for pair in importance.pairs[:_MAPS] if pair.low > _WORTH_A_MAP]
    return tuple(
        plane(dimensions, places[pair.paths[0]], places[pair.paths[1]], model, rng)
        for pair in strong
    )
