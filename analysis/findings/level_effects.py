"""What each level changes where runs train: PSNR, and seconds of a training step.

Of one study: a level minus the reference level, all else equal, by an additive linear model of the
runs that trained; of seconds, of their logarithm. Settings count by the runs that train there with
both levels: those in which nothing trains with one of them add nothing. Over studies: random
effects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.findings.analyze_study import Findings
from analysis.findings.breaking import bin_levels
from analysis.findings.parameters_across import ParameterAcross
from analysis.stats.additive_model import AdditiveModel, Contrast, fit_additive_model
from analysis.stats.intervals import FloatArray
from analysis.stats.random_effects import Pooled, pool_random_effects
from analysis.stats.rates import BinIndices
from analysis.surrogate.unit_cube import to_quantiles

MIN_RUNS = 5
"""Runs that trained, of a level and of its reference, from which a study compares them."""


@dataclass(frozen=True)
class LevelDifference:
    """A level minus the reference in one study; how many runs with either trained."""

    contrast: Contrast
    runs: int
    reference_runs: int


@dataclass(frozen=True)
class PooledDifference:
    """A level minus the reference over studies.

    by_study: label -> its difference, of the studies that can tell; pooled: over at least two
    """

    by_study: Mapping[str, LevelDifference]
    pooled: Pooled | None

    @property
    def opposed(self) -> tuple[str, ...]:
        """The studies whose own interval lies on the other side of 0 than the pooled mean."""
        if self.pooled is None:
            return ()
        side = 1 if self.pooled.mean > 0 else -1
        return tuple(label for label, d in self.by_study.items() if d.contrast.sign == -side)

    @property
    def runs(self) -> tuple[int, int]:
        """How many runs trained with the level and with the reference, in `by_study`."""
        differences = self.by_study.values()
        return sum(d.runs for d in differences), sum(d.reference_runs for d in differences)


@dataclass(frozen=True)
class LevelEffect:
    """One level of a parameter against its reference level, among runs that trained.

    psnr: in dB; log_seconds: natural logarithm of the ratio of seconds per training step
    """

    path: str
    label: str
    level: str
    reference: str
    psnr: PooledDifference
    log_seconds: PooledDifference


def pool_level_effects(
    studies: Mapping[str, Findings], parameters: Sequence[ParameterAcross]
) -> tuple[LevelEffect, ...]:
    """The effect of each level that `parameters` contrast with a reference.

    studies: label -> findings, under the labels of `ParameterAcross.by_study`
    """
    models = {label: _StudyModels(findings) for label, findings in studies.items()}
    return tuple(
        _pool(parameter, contrast.level.name, contrast.reference.name, models)
        for parameter in parameters
        for contrast in parameter.contrasts
    )


def _pool(
    parameter: ParameterAcross, level: str, reference: str, models: Mapping[str, _StudyModels]
) -> LevelEffect:
    psnr: dict[str, LevelDifference] = {}
    log_seconds: dict[str, LevelDifference] = {}
    for label in parameter.by_study:
        differences = models[label].compare(parameter.path, level, reference)
        for by_study, difference in zip((psnr, log_seconds), differences, strict=True):
            if difference is not None:
                by_study[label] = difference
    return LevelEffect(
        parameter.path, parameter.label, level, reference, _pooled(psnr), _pooled(log_seconds)
    )


def _pooled(by_study: Mapping[str, LevelDifference]) -> PooledDifference:
    if len(by_study) < 2:
        return PooledDifference(by_study, None)
    contrasts = [d.contrast for d in by_study.values()]
    pooled = pool_random_effects([c.estimate for c in contrasts], [c.variance for c in contrasts])
    return PooledDifference(by_study, pooled)


class _StudyModels:
    """The models of PSNR and of log seconds per step of one study, of its runs that trained."""

    def __init__(self, findings: Findings) -> None:
        dimensions, trained = findings.study.space.dimensions, findings.comparable.trials
        units = to_quantiles(trained, dimensions)
        binned = [bin_levels(d, units[:, j]) for j, d in enumerate(dimensions)]
        self._paths = [d.path for d in dimensions]
        self._names = [names for names, _ in binned]
        self._levels = [levels for _, levels in binned]
        self._results = (trained["psnr"].to_numpy(dtype=float), _log_seconds(trained))
        self._models = [self._fit(results) for results in self._results]

    def compare(self, path: str, level: str, reference: str) -> list[LevelDifference | None]:
        """The differences in PSNR and in log seconds; None where the runs do not tell them."""
        j = self._paths.index(path)
        first, second = self._names[j].index(level), self._names[j].index(reference)
        return [
            self._compare(model, results, j, first, second)
            for model, results in zip(self._models, self._results, strict=True)
        ]

    def _compare(
        self, model: AdditiveModel | None, results: FloatArray, j: int, first: int, second: int
    ) -> LevelDifference | None:
        of_runs = self._levels[j][np.isfinite(results)]
        runs, reference_runs = (int((of_runs == i).sum()) for i in (first, second))
        if model is None or min(runs, reference_runs) < MIN_RUNS:
            return None
        contrast = model.contrast(j, first, second)
        return None if contrast is None else LevelDifference(contrast, runs, reference_runs)

    def _fit(self, results: FloatArray) -> AdditiveModel | None:
        finite = np.isfinite(results)
        levels: list[BinIndices] = [of_runs[finite] for of_runs in self._levels]
        return fit_additive_model(levels, [len(n) for n in self._names], results[finite])


def _log_seconds(trials: pd.DataFrame) -> FloatArray:
    """(trials,) logarithm of training seconds per step; NaN where none were recorded."""
    seconds = trials["train_seconds"].to_numpy(dtype=float)
    steps = trials["steps_done"].to_numpy(dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        per_step = np.log(seconds / steps)
    return np.where(np.isfinite(per_step), per_step, np.nan)
