"""What each level changes where runs train: PSNR, and seconds of a training step.

Of one study: a level minus the reference level, all else equal. PSNR is by posterior draws of the
surrogate's marginal means if the study is ranked, and otherwise, as the logarithm of seconds always
is, by an additive linear model of the runs that trained. Over studies: random effects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from analysis.findings.analyze_study import Findings
from analysis.findings.breaking import bin_levels
from analysis.findings.parameters_across import ParameterAcross
from analysis.importance.sobol import FittedSurrogate
from analysis.stats.additive_model import AdditiveModel, fit_additive_model
from analysis.stats.intervals import FloatArray
from analysis.stats.random_effects import Pooled, pool_random_effects
from analysis.stats.rates import BinIndices
from analysis.surrogate.unit_cube import to_quantiles
from study.spec.space import Dimension

_MIN_RUNS = 2  # that trained, of a level and of its reference, for a study to compare them
_NORMAL_QUANTILE = 1.96


@dataclass(frozen=True)
class LevelDifference:
    """A level minus the reference in one study; variance: of its error."""

    estimate: float
    variance: float

    @property
    def sign(self) -> int:
        """Which way it goes; 0 if its 95 % interval holds 0."""
        half = _NORMAL_QUANTILE * self.variance**0.5
        return 0 if abs(self.estimate) <= half else 1 if self.estimate > 0 else -1


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
        return tuple(label for label, d in self.by_study.items() if d.sign == -side)


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
    differences = by_study.values()
    pooled = pool_random_effects(
        [d.estimate for d in differences], [d.variance for d in differences]
    )
    return PooledDifference(by_study, pooled)


class _Model(Protocol):
    """A model of a result that can compare two levels of a factor."""

    def contrast(self, factor: int, level: int, reference: int) -> tuple[float, float] | None: ...


class _StudyModels:
    """The models of PSNR and of log seconds per step of one study."""

    def __init__(self, findings: Findings) -> None:
        dimensions, trained = findings.study.space.dimensions, findings.comparable.trials
        units = to_quantiles(trained, dimensions)
        binned = [bin_levels(d, units[:, j]) for j, d in enumerate(dimensions)]
        self._paths = [d.path for d in dimensions]
        self._names = [names for names, _ in binned]
        self._levels = [levels for _, levels in binned]
        surrogate = findings.sobol.model if findings.importance.ranked else None
        self._psnr: _Model | None = (
            self._fit(trained["score"].to_numpy(dtype=float))
            if surrogate is None
            else _MarginalMeans(surrogate, dimensions)
        )
        self._log_seconds = self._fit(_log_seconds(trained))

    def compare(
        self, path: str, level: str, reference: str
    ) -> tuple[LevelDifference | None, LevelDifference | None]:
        """The differences in PSNR and in log seconds; None where the runs do not tell them."""
        j = self._paths.index(path)
        first, second = self._names[j].index(level), self._names[j].index(reference)
        runs = np.bincount(self._levels[j], minlength=len(self._names[j]))
        if min(runs[first], runs[second]) < _MIN_RUNS:
            return None, None
        return (
            _difference(self._psnr, j, first, second),
            _difference(self._log_seconds, j, first, second),
        )

    def _fit(self, results: FloatArray) -> AdditiveModel | None:
        finite = np.isfinite(results)
        levels: list[BinIndices] = [of_runs[finite] for of_runs in self._levels]
        return fit_additive_model(levels, [len(n) for n in self._names], results[finite])


class _MarginalMeans:
    """Posterior draws of mean PSNR at each level of each factor: (levels, R), NaN if unknown."""

    def __init__(self, model: FittedSurrogate, dimensions: Sequence[Dimension]) -> None:
        self._draws = [
            _average_levels(draws, kernel.weights, *bin_levels(dimension, kernel.nodes))
            for draws, kernel, dimension in zip(
                model.sample.marginal_means(), model.process.kernels, dimensions, strict=True
            )
        ]

    def contrast(self, factor: int, level: int, reference: int) -> tuple[float, float] | None:
        """Mean and variance of the draws of the level minus the reference."""
        draws = self._draws[factor][level] - self._draws[factor][reference]
        return None if np.isnan(draws).any() else (float(draws.mean()), float(draws.var()))


def _average_levels(
    draws: FloatArray, weights: FloatArray, names: Sequence[str], levels: BinIndices
) -> FloatArray:
    """(levels, R) from draws (nodes, R) at nodes of these weights, each in one of the levels."""
    members = np.eye(len(names))[levels].T * weights  # (levels, nodes)
    totals = members.sum(axis=1, keepdims=True)
    means = members @ draws / np.where(totals > 0, totals, 1.0)
    return np.where(totals > 0, means, np.nan)


def _difference(
    model: _Model | None, factor: int, level: int, reference: int
) -> LevelDifference | None:
    contrast = None if model is None else model.contrast(factor, level, reference)
    return None if contrast is None else LevelDifference(*contrast)


def _log_seconds(trials: pd.DataFrame) -> FloatArray:
    """(trials,) logarithm of training seconds per step; NaN where none were recorded."""
    seconds = trials["train_seconds"].to_numpy(dtype=float)
    steps = trials["steps_done"].to_numpy(dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        per_step = np.log(seconds / steps)
    return np.where(np.isfinite(per_step), per_step, np.nan)
