"""Claims on what to set single parameters to, and how much keeping the default loses."""

from __future__ import annotations

import math
from collections.abc import Iterator

from analysis.claims.claim import Claim, Kind
from analysis.claims.wording import (
    begin_with,
    count_compared,
    format_value,
    state_range,
    state_values,
)
from analysis.data.metric import PSNR
from analysis.findings.analyze_study import Findings
from analysis.findings.recommendation import ValueAdvice, recommend


def list_advice_claims(findings: Findings) -> Iterator[Claim]:
    """A claim for each parameter of which the trials tell what to set it to."""
    for advice in recommend(findings).parameters:
        if advice.advice == "set":
            yield _set(findings, advice)
        elif advice.advice == "keep":
            yield _keep(findings, advice)


def format_loss(findings: Findings, loss: float) -> str:
    """A loss as `0.3 dB`, rounded up so that it still holds."""
    metric = findings.study.metric
    if findings.study.metric == PSNR:
        return metric.with_unit(f"{max(math.ceil(10 * loss - 1e-9), 1) / 10:.1f}")
    unit = 10.0 ** (math.floor(math.log10(loss)) - 1) if loss > 0 else 1.0
    number = float(f"{math.ceil(loss / unit - 1e-9) * unit:.6g}")
    return metric.with_unit_of_difference(metric.format_number(number))


def format_good(advice: ValueAdvice) -> str:
    """The values as good as the best: `0.9 to 1.8`, or `gelu or sine`."""
    if advice.dimension.choices:
        return " or ".join(map(format_value, advice.good))
    first, last = (format_value(value) for value in (advice.good[0], advice.good[-1]))
    return first if first == last else f"{first} to {last}"


def _set(findings: Findings, advice: ValueAdvice) -> Claim:
    """A value to set; without a default, the values that are as good as the best one."""
    study = findings.study
    label = begin_with(study, advice.label)
    margin = study.metric.with_unit_of_difference(f"{advice.margin:g}")
    loses = f"loses at most {margin} against the best value"
    if not study.is_native:
        loses = f"is at most {margin} {study.metric.worse} in {study.metric.name} than the best"
    default = study.defaults.get(advice.dimension.path)
    if default is None:
        text = f"{label}: set {format_good(advice)}, which on average {loses}."
    else:
        text = (
            f"{label}: set {format_value(advice.value)} ({format_good(advice)} {loses} on average; "
            f"the default {format_value(default)} loses more)."
        )
    good = _state_good(advice)
    set_to: tuple[str, ...] = ()
    if default is not None and advice.value is not None:
        set_to = (state_values(advice.dimension.path, [advice.value]),)
    return _make(findings, "set_value", (*set_to, good), advice.margin, text)


def _keep(findings: Findings, advice: ValueAdvice) -> Claim:
    """The default, which loses little; without one, any value does."""
    study = findings.study
    label, loss = begin_with(study, advice.label), format_loss(findings, advice.loss)
    default = study.defaults.get(advice.dimension.path)
    if default is None:
        text = f"{label}: no value costs more than {loss}, so keep what you have."
    else:
        text = (
            f"{label}: keep the default {format_value(default)}, which on average loses at most "
            f"{loss} against the best value."
        )
    path = advice.dimension.path
    kept = path if default is None else state_values(path, [default])
    return _make(findings, "keep_value", (kept,), advice.loss, text)


def _state_good(advice: ValueAdvice) -> str:
    """The values as good as the best in the syntax of `--vary`."""
    path, good = advice.dimension.path, advice.good
    return state_values(path, good) if advice.dimension.choices else state_range(path, *good)


def _make(
    findings: Findings,
    kind: Kind,
    parameters: tuple[str, ...],
    estimate: float,
    text: str,
) -> Claim:
    n = findings.importance.trials
    condition = (
        f"on average over the other parameters, among the {count_compared(findings.study, n)}"
    )
    unit = findings.study.metric.unit
    return Claim(kind, parameters, estimate, None, None, unit, n, 0.95, condition, text)
