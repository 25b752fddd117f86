"""Effect of each parameter: mean score at each value with a band, and a verdict on each value.

Over the runs that trained: PSNR given that a run trains. Of other tools: over completed trials.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.data.metric import PSNR, Metric
from analysis.data.selection import select_comparable, select_measured
from analysis.data.study import Study
from analysis.findings.value_verdicts import (
    MARGINS,
    Edge,
    Verdict,
    choose_margins,
    estimate_trials_to_decide,
    find_edge,
    judge_values,
)
from analysis.importance.sobol import FittedSurrogate, SobolAnalysis
from analysis.stats.intervals import INTERVAL_QUANTILES, FloatArray
from analysis.surrogate.kernel import NODES, AxisKernel
from analysis.surrogate.unit_cube import make_axis
from nerf.config.parameters import DERIVED, Value, parameter
from study.spec.space import Dimension

_INDIVIDUAL_CURVES = 8


@dataclass(frozen=True)
class EffectCurve:
    """Mean score at each value over the runs that trained, all other parameters varying.

    values: ascending; mean, low, high: (values,) with a 95 % band
    individuals: (values, lines) scores with the others at single points of the prior (ICE curves)
    matters: whether the parameter alone has an effect; no best value is claimed if not
    best, best_low, best_high: the value of highest mean and its 95 % interval; the ends are None
    for choices
    verdicts: of each value, about a loss of `margin` against the best one
    at_edge: "low" or "high" where the best value may lie beyond that end of the range, else ""
    trials_to_decide: about how many runs that train would decide half of the open values; None if
    unknown
    loss_high: (values,) the most that each value loses against the best one, with 97.5 %
    confidence; spread_high: the most that any of them loses
    """

    values: tuple[Value, ...]
    mean: FloatArray
    low: FloatArray
    high: FloatArray
    individuals: FloatArray
    matters: bool
    best: Value
    best_low: Value | None
    best_high: Value | None
    verdicts: tuple[Verdict, ...]
    margin: float
    at_edge: Edge
    trials_to_decide: int | None
    loss_high: FloatArray
    spread_high: float

    def in_metric(self, metric: Metric) -> EffectCurve:
        """The same curve in values of the metric, in place of scores."""
        low, high = metric.interval(self.low, self.high)
        return replace(
            self,
            mean=metric.values(self.mean),
            low=low,
            high=high,
            individuals=metric.values(self.individuals),
        )


@dataclass(frozen=True)
class Effect:
    """Effect of one parameter, with the trials measured over it.

    choices: the values in the order of their axis, if the parameter is a choice
    points: trial_id, value, score, state, outcome and phase of the trials with a finite score
    curve: None without a surrogate that predicts well, and for a field that a derived one sets
    """

    path: str
    label: str
    unit: str
    log: bool
    choices: tuple[Value, ...]
    points: pd.DataFrame
    curve: EffectCurve | None

    @property
    def axis_title(self) -> str:
        """The label with its unit."""
        return f"{self.label} ({self.unit})" if self.unit and not self.choices else self.label


@dataclass(frozen=True)
class PairEffect:
    """Partial dependence on two parameters, all others drawn from the prior.

    values: (second, first) mean score at each pair of `first` and `second`
    log: of each, whether its domain is logarithmic
    """

    paths: tuple[str, str]
    labels: tuple[str, str]
    first: tuple[Value, ...]
    second: tuple[Value, ...]
    values: FloatArray
    log: tuple[bool, bool] = (False, False)


def estimate_effects(
    study: Study, sobol: SobolAnalysis, rng: np.random.Generator
) -> tuple[Effect, ...]:
    """The effect of each varied parameter, and of each field that a derived parameter sets.

    Args:
        study: as read by `load_study`.
        sobol: of its comparable trials; effects have no curve unless it is ranked.
        rng: draws the points that individual curves run through.

    Example:
        >>> for effect in estimate_effects(study, sobol, np.random.default_rng(0)):
        ...     print(effect.label, effect.curve and effect.curve.best)
    """
    dimensions = study.space.dimensions
    model = sobol.model if sobol.importance.ranked else None
    curves: dict[str, EffectCurve] = {}
    if model is not None:
        curves = _estimate_curves(dimensions, sobol, model, list_margins(study), rng)
    return tuple(
        _make_effect(dimension, study.trials, curves.get(dimension.path))
        for dimension in with_derived_targets(dimensions)
    )


def list_margins(study: Study) -> Sequence[float]:
    """Losses that a statement on values may tolerate: in dB of PSNR, or in the metric's unit."""
    if study.metric == PSNR:
        return MARGINS
    comparable = select_comparable(study.trials, study.metric).trials
    scores = comparable["score"].to_numpy(dtype=float)
    if len(scores) < 2 or np.ptp(scores) == 0:  # of this program, which has no choice of its own
        return MARGINS
    return choose_margins(scores)


def with_derived_targets(dimensions: Sequence[Dimension]) -> tuple[Dimension, ...]:
    """The dimensions, with the field that a derived one sets (far) before it (depth range)."""
    shown: list[Dimension] = []
    for dimension in dimensions:
        if dimension.path in DERIVED:
            target = parameter(DERIVED[dimension.path].sets)
            shown.append(Dimension(target.path, target.kind, label=target.label, unit=target.unit))
        shown.append(dimension)
    return tuple(shown)


def estimate_pair_effect(
    dimensions: Sequence[Dimension], first: int, second: int, model: FittedSurrogate
) -> PairEffect:
    """Mean score over two dimensions, the others averaged out."""
    kernels = model.process.kernels
    a, b = dimensions[first], dimensions[second]
    return PairEffect(
        (a.path, b.path),
        (a.label, b.label),
        tuple(map(a.from_unit, kernels[first].nodes.tolist())),
        tuple(map(b.from_unit, kernels[second].nodes.tolist())),
        model.process.pair_effect(first, second),
        (a.log, b.log),
    )


def _make_effect(dimension: Dimension, trials: pd.DataFrame, curve: EffectCurve | None) -> Effect:
    measured = select_measured(trials)
    columns = ["trial_id", "score", "state", "outcome", "phase"]
    points = measured[columns].assign(value=measured[dimension.path])
    return Effect(
        dimension.path,
        dimension.label,
        dimension.unit,
        dimension.log,
        dimension.choices,
        points,
        curve,
    )


def _estimate_curves(
    dimensions: Sequence[Dimension],
    sobol: SobolAnalysis,
    model: FittedSurrogate,
    margins: Sequence[float],
    rng: np.random.Generator,
) -> dict[str, EffectCurve]:
    """The curve of each dimension, by its path."""
    means, draws = model.process.marginal_means(), model.sample.marginal_means()
    alone = {s.path: s.alone_low > 0.0 for s in sobol.importance.shares}
    return {
        d.path: _make_curve(
            d,
            model.process.kernels[j],
            means[j],
            draws[j],
            alone[d.path],
            sobol.importance.trials,
            margins,
            _predict_individuals(dimensions, j, model, rng),
        )
        for j, d in enumerate(dimensions)
    }


def _make_curve(
    dimension: Dimension,
    kernel: AxisKernel,
    mean: FloatArray,
    draws: FloatArray,
    matters: bool,
    trials: int,
    margins: Sequence[float],
    individuals: FloatArray,
) -> EffectCurve:
    """The curve from its mean (values,) and posterior draws (values, R)."""
    values = tuple(map(dimension.from_unit, kernel.nodes.tolist()))
    # The weights of the nodes under the runs that trained, over those of the prior.
    density = kernel.weights / make_axis(dimension).grid(NODES)[1]
    ordered = not dimension.choices
    low, high = np.quantile(draws, INTERVAL_QUANTILES, axis=1)
    top = int(mean.argmax())
    # Interval of the best value: quantiles of where each draw has its maximum.
    tops = draws.argmax(axis=0)
    first, last = (int(np.quantile(tops, q, method="nearest")) for q in INTERVAL_QUANTILES)
    first, last = min(first, top), max(last, top)
    losses = draws.max(axis=0) - draws  # (values, R) against the best value of each draw
    margin, verdicts = judge_values(losses, top, ordered, margins)
    return EffectCurve(
        values,
        mean,
        np.minimum(low, mean),
        np.maximum(high, mean),
        individuals,
        matters,
        values[top],
        values[first] if ordered else None,
        values[last] if ordered else None,
        verdicts,
        margin,
        find_edge(tops, density) if ordered and matters else "",
        estimate_trials_to_decide(losses, verdicts, margin, trials),
        np.quantile(losses, INTERVAL_QUANTILES[1], axis=1),
        float(np.quantile(losses.max(axis=0), INTERVAL_QUANTILES[1])),
    )


def _predict_individuals(
    dimensions: Sequence[Dimension], j: int, model: FittedSurrogate, rng: np.random.Generator
) -> FloatArray:
    """(values, lines) predictions along one axis through points drawn from the prior."""
    axes, nodes = [make_axis(d) for d in dimensions], model.process.kernels[j].nodes
    base = rng.random((_INDIVIDUAL_CURVES, len(axes)))
    through = np.column_stack([a.snap(base[:, i]) for i, a in enumerate(axes)])
    points = np.repeat(through[None], len(nodes), axis=0)
    points[:, :, j] = nodes[:, None]
    predicted = model.process.predict(points.reshape(-1, len(axes)))
    return np.asarray(predicted.reshape(len(nodes), _INDIVIDUAL_CURVES))
