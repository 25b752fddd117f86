"""Recommends what to set: the best configuration, single values, or the default.

A configuration is recommended if further seeds prove that it beats the default one. Failing that, a
value of a parameter is recommended only where two things agree: on average over the other
parameters the default is proved to lose more than a margin, and the surrogate predicts that moving
this parameter alone from the default configuration gains. Averages alone would recommend values
that are worse at the default where parameters interact (`benchmarks/recommendations.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.data.study import Study
from analysis.findings.analyze_study import Findings
from analysis.findings.partial_dependence import EffectCurve, list_margins
from analysis.findings.tunability import predict_gain
from nerf.config.parameters import Value
from study.spec.space import Dimension

Advice = Literal["set", "keep", "open"]

_KEPT_MARGIN = 2  # place among the margins of a study


@dataclass(frozen=True)
class ValueAdvice:
    """What to set one parameter to.

    advice: "set" to `value`; "keep" the default, or without one any value; "open"
    value: the best one on average where it is set, else the default, if there is one
    good: values proved to lose at most `margin`: the ends of a range, or choices; perhaps none
    loss: where it is kept, the most that the default loses against the best value (without a
    default, that any value does)
    matters: whether the parameter has a significant effect
    """

    dimension: Dimension
    advice: Advice
    value: Value | None
    good: tuple[Value, ...]
    margin: float
    loss: float
    matters: bool

    @property
    def label(self) -> str:
        return self.dimension.label


@dataclass(frozen=True)
class Recommendation:
    """What to train with.

    source: "best" for the best configuration, proved to beat the default; "values" for the default
    with some values changed; "default"; or "" where there is no default
    values: of all varied parameters for "best", of those to change for "values"
    parameters: advice on each varied parameter; empty where nothing is ranked
    """

    source: Literal["best", "values", "default", ""]
    values: Mapping[str, Value]
    parameters: tuple[ValueAdvice, ...]

    def with_advice(self, advice: Advice) -> tuple[ValueAdvice, ...]:
        return tuple(p for p in self.parameters if p.advice == advice)


def recommend(findings: Findings) -> Recommendation:
    """What to train with, by further seeds and by the surrogate; for variants, no advice."""
    if findings.study.has_variants:
        return Recommendation("", {}, ())
    parameters = tuple(_advise(findings))
    changed = {
        p.dimension.path: p.value for p in parameters if p.advice == "set" and p.value is not None
    }
    both = findings.best_and_default
    if both is not None and both.is_proved_better:
        return Recommendation("best", both.best.values, parameters)
    if not findings.study.defaults:
        return Recommendation("", changed, parameters)
    if changed and _gains(findings, changed):
        return Recommendation("values", changed, parameters)
    return Recommendation("default", {}, parameters)


def tolerated_loss(study: Study) -> float:
    """The most that a kept value may lose: 0.5 dB of PSNR, or as much of another metric."""
    return list_margins(study)[_KEPT_MARGIN]


def _advise(findings: Findings) -> list[ValueAdvice]:
    """Advice on each varied parameter that has a curve."""
    dimensions = {d.path: d for d in findings.study.space.dimensions}
    return [
        _advise_on(findings, dimensions[effect.path], effect.curve)
        for effect in findings.effects
        if effect.path in dimensions and effect.curve is not None
    ]


def _advise_on(findings: Findings, dimension: Dimension, curve: EffectCurve) -> ValueAdvice:
    default = findings.study.defaults.get(dimension.path)
    place = None if default is None else _find_place(dimension, curve, default)
    loss = float(curve.loss_high[place]) if place is not None else curve.spread_high
    is_known = default is None or place is not None  # nothing is known outside the searched space
    advice: Advice = "keep" if is_known and loss <= tolerated_loss(findings.study) else "open"
    good = _list_good(dimension, curve)
    value = default
    if default is None:
        value = curve.best
        advice = "set" if advice == "open" and curve.matters and good else advice
    elif curve.matters and good and _beats_default(findings, dimension, curve, default):
        value, advice = _round_within(dimension, curve.best, good), "set"
    return ValueAdvice(dimension, advice, value, good, curve.margin, loss, curve.matters)


def _beats_default(
    findings: Findings, dimension: Dimension, curve: EffectCurve, default: Value
) -> bool:
    """Whether the best value beats the default, on average and with all else at its default."""
    place = _find_place(dimension, curve, default)
    if place is not None and curve.verdicts[place] != "worse":
        return False
    if not _gains(findings, {dimension.path: curve.best}):
        return False
    decides = {p.path for p in findings.breaking.significant_parameters}
    if dimension.path not in decides or not dimension.contains(default):
        return True
    # More runs must not break with it.
    rate_at = findings.breaking.rate_at
    return rate_at(dimension, curve.best).rate <= rate_at(dimension, default).rate


def _gains(findings: Findings, values: Mapping[str, Value]) -> bool:
    """Whether the surrogate is sure that these values gain, all else at its default."""
    study, model = findings.study, findings.sobol.model
    assert model is not None
    if study.space.outside(study.defaults):
        return False  # it predicts nothing outside the searched space
    dimensions = study.space.dimensions
    points = [
        np.array([d.to_unit(configuration[d.path]) for d in dimensions])
        for configuration in (study.defaults, {**study.defaults, **values})
    ]
    return predict_gain(model, *points)[1] > 0.0


def _find_place(dimension: Dimension, curve: EffectCurve, value: Value) -> int | None:
    """The place of the curve's value nearest to `value`; None if that is not in the space."""
    if not dimension.contains(value):
        return None
    units = np.array([dimension.to_unit(v) for v in curve.values])
    return int(np.abs(units - dimension.to_unit(value)).argmin())


def _list_good(dimension: Dimension, curve: EffectCurve) -> tuple[Value, ...]:
    """The values proved as good: choices, or the ends of their range; empty without any."""
    good = [
        v for v, verdict in zip(curve.values, curve.verdicts, strict=True) if verdict == "as good"
    ]
    return tuple(good) if dimension.choices or not good else (good[0], good[-1])


def _round_within(dimension: Dimension, value: Value, good: Sequence[Value]) -> Value:
    """The value to as few digits as keep it in the range of good ones."""
    if dimension.kind != "float" or dimension.step:
        return value
    low, high = float(good[0]), float(good[-1])
    rounded = (float(f"{value:.{digits}g}") for digits in (1, 2, 3, 4))
    return next((number for number in rounded if low <= number <= high), value)
