"""Claims on what breaks training over several studies, and on what a level costs or gains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import exp
from typing import Literal

from analysis.claims.breaking_claims import state_level
from analysis.claims.claim import Claim, Kind
from analysis.claims.wording import (
    capitalize,
    count_runs,
    format_difference,
    format_part,
    format_points,
    join_names,
)
from analysis.findings.breaking_across import BreakingAcross
from analysis.findings.level_effects import LevelEffect, PooledDifference
from analysis.findings.pairs_across import PairAcross
from analysis.findings.parameters_across import BreakContrast, Order, ParameterAcross
from analysis.stats.random_effects import Pooled
from analysis.stats.rates import BreakRate
from study.records.outcomes import COLLAPSED, SHOWS_NOTHING, format_count

_MAX_PAIRS = 3
_RATES: tuple[Kind, ...] = (
    "breaks_across",
    "safe_across",
    "breaks_pair_across",
    "no_breaking_across",
    "breaks_instead",
)


def list_breaking_across_claims(breaking: BreakingAcross) -> Iterator[Claim]:
    """With which levels most and fewest runs break, and each level against its reference."""
    if not breaking.parameters or breaking.overall.broken == 0:
        return
    if not breaking.significant_parameters:
        yield _no_parameter(breaking)
    for parameter in breaking.significant_parameters:
        yield _level(parameter, "breaks_across")
        yield _level(parameter, "safe_across")
    for pair in breaking.significant_pairs[:_MAX_PAIRS]:
        yield _cell(pair)


def list_level_claims(breaking: BreakingAcross, levels: Sequence[LevelEffect]) -> Iterator[Claim]:
    """Each level against its reference: runs that break, PSNR and the time of a training step.

    levels: one for each contrast of `breaking`, in the same order
    """
    contrasts = [(p, contrast) for p in breaking.parameters for contrast in p.contrasts]
    for (parameter, contrast), effect in zip(contrasts, levels, strict=True):
        if contrast.significant:
            yield _contrast(parameter, contrast, effect)
        if effect.psnr.pooled is not None:
            yield _change_of_psnr(effect, effect.psnr.pooled)
        if effect.log_seconds.pooled is not None:
            yield _change_of_time(effect, effect.log_seconds.pooled)


def select_across(claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """The claims on breaking over several studies; what else levels change is left out."""
    return tuple(claim for claim in claims if claim.kind in _RATES)


def describe_order(
    order: Order, quiet: Sequence[str], verb: Literal["more", "fewer"], other: str = ""
) -> str:
    """In which studies one level breaks more (or fewer) runs than another; by name if not in all.

    quiet: the studies in which no run breaks; other: the name of the other level
    """
    order = order if verb == "more" else order.flipped
    opposite = "fewer" if verb == "more" else "more"
    than = f" than with {other}" if other else ""
    if len(order.more) == order.studies:
        return f"{verb}{than} on all {order.studies} studies"
    if len(order.more) == 1 and not order.fewer:
        text = f"{verb}{than} on one study only ({order.more[0]}) and {opposite} on none"
    else:
        reverse = f"on {join_names(order.fewer)}" if order.fewer else "on none"
        count = f"{len(order.more)} of {order.studies} studies"
        text = f"{verb}{than} on {count} and {opposite} {reverse}"
    return f"{text} (no run breaks on {join_names(quiet)})" if quiet else text


def _level(parameter: ParameterAcross, kind: Kind) -> Claim:
    """The worst level against the safest one, or the other way round."""
    most = kind == "breaks_across"
    rate, other = parameter.worst, parameter.safest
    if not most:
        rate, other = other, rate
    order = parameter.order(rate.name, other.name)
    comparison = describe_order(order, parameter.quiet, "more" if most else "fewer", other.name)
    low, high = parameter.range_by_study(rate.name)
    text = (
        f"{'Most' if most else 'Fewest'} break with {parameter.label} {rate.name}: "
        f"{format_part(rate.rate, rate.low, rate.high)} of {count_runs(rate.trials)} over "
        f"{len(parameter.by_study)} studies ({_count_outcomes(rate)}; {100 * low:.0f} to "
        f"{100 * high:.0f} % by study), {comparison}."
    )
    return _make_rate(
        kind, (state_level(parameter.path, rate.name),), rate, text, tuple(parameter.by_study)
    )


def _count_outcomes(rate: BreakRate) -> str:
    collapsed = format_count(rate.collapsed, COLLAPSED)
    return f"{collapsed}, {format_count(rate.shows_nothing, SHOWS_NOTHING)}"


def _cell(pair: PairAcross) -> Claim:
    """The cell in which most runs break."""
    rate, column, row = pair.worst
    text = (
        f"{capitalize(pair.labels[0])} {column} with {pair.labels[1]} {row}: "
        f"{format_part(rate.rate, rate.low, rate.high)} of {count_runs(rate.trials)} over "
        f"{len(pair.studies)} studies break ({_count_outcomes(rate)}; {_describe_spread(pair)})."
    )
    names = (state_level(pair.paths[0], column), state_level(pair.paths[1], row))
    return _make_rate("breaks_pair_across", names, rate, text, pair.studies)


def _describe_spread(pair: PairAcross) -> str:
    """On which of the studies with runs of the worst cell some of them break."""
    breaking, tried = pair.breaking_in_worst, pair.tried_in_worst
    if len(breaking) == 1:
        return f"on one study only, {breaking[0]}"
    count = "all" if len(breaking) == len(tried) else f"{len(breaking)} of"
    return f"on {count} {len(tried)} studies with such runs"


def _contrast(parameter: ParameterAcross, contrast: BreakContrast, effect: LevelEffect) -> Claim:
    """Runs that break; its sentence adds what the level costs, which claims of their own state."""
    level, reference = contrast.level, contrast.reference
    change = contrast.difference
    verb: Literal["more", "fewer"] = "fewer" if change.estimate < 0 else "more"
    text = (
        f"With {parameter.label} {level.name} instead of {reference.name}, {100 * level.rate:.0f} "
        f"% instead of {100 * reference.rate:.0f} % of {count_runs(level.trials)} over "
        f"{len(parameter.by_study)} studies break, a difference within "
        f"studies of {format_points(change.estimate, change.low, change.high)}: "
        f"{describe_order(contrast.order, parameter.quiet, verb)}{_describe_cost(effect)}."
    )
    return Claim(
        "breaks_instead", _state_pair(parameter.path, level.name, reference.name),
        change.estimate, change.low, change.high, "fraction",
        level.trials + reference.trials, 0.95,
        f"mean within these studies: {', '.join(parameter.by_study)}; with all other levels and "
        "parameters, all intervals hold at once", text,
    )  # fmt: skip


def _describe_cost(effect: LevelEffect) -> str:
    """What the level changes where nothing is wrong, as the end of a sentence."""
    psnr, log_seconds = effect.psnr.pooled, effect.log_seconds.pooled
    parts = []
    if psnr is not None:
        change = format_difference(psnr.mean, psnr.low, psnr.high)
        trained = _count_trained(effect, effect.psnr)
        studies = len(effect.psnr.by_study)
        parts.append(f"PSNR changes by {change} ({trained} trained, on {studies} studies)")
    if log_seconds is not None:
        mean, low, high = _ratio(log_seconds)
        verb = "" if parts else " changes"
        parts.append(f"the time of a step{verb} by a factor of {mean:.2f} [{low:.2f}, {high:.2f}]")
    return f"; where runs train, {' and '.join(parts)} on average" if parts else ""


def _ratio(pooled: Pooled) -> tuple[float, float, float]:
    """A pooled difference of logarithms as a ratio with its interval."""
    return exp(pooled.mean), exp(pooled.low), exp(pooled.high)


def _change_of_psnr(effect: LevelEffect, pooled: Pooled) -> Claim:
    text = (
        f"With {effect.label} {effect.level} instead of {effect.reference}, PSNR changes by "
        f"{format_difference(pooled.mean, pooled.low, pooled.high)} on average over studies like "
        f"these {len(effect.psnr.by_study)}, where runs train "
        f"({_count_trained(effect, effect.psnr)}); in one more of them between "
        f"{pooled.predicted_low:+.2f} and {pooled.predicted_high:+.2f} dB"
        f"{_describe_opposed(effect.psnr)}."
    )
    return _make_pooled(
        "psnr_instead", effect, effect.psnr, (pooled.mean, pooled.low, pooled.high), "dB", text
    )


def _change_of_time(effect: LevelEffect, pooled: Pooled) -> Claim:
    mean, low, high = _ratio(pooled)
    text = (
        f"With {effect.label} {effect.level} instead of {effect.reference}, a training step takes "
        f"{mean:.2f} [{low:.2f}, {high:.2f}] times as long on average over studies like these "
        f"{len(effect.log_seconds.by_study)}, where runs train "
        f"({_count_trained(effect, effect.log_seconds)}){_describe_opposed(effect.log_seconds)}."
    )
    return _make_pooled(
        "time_instead", effect, effect.log_seconds, (mean, low, high), "factor", text
    )


def _count_trained(effect: LevelEffect, difference: PooledDifference) -> str:
    """On how many runs a difference rests: `37 with sigmoid and 67 with softplus`."""
    runs, reference_runs = difference.runs
    return f"{runs} with {effect.level} and {reference_runs} with {effect.reference}"


def _describe_opposed(difference: PooledDifference) -> str:
    opposed = difference.opposed
    return f"; the other way on {join_names(opposed)}" if opposed else ""


def _no_parameter(breaking: BreakingAcross) -> Claim:
    nearest = breaking.parameters[0]
    text = (
        f"No parameter has a significant effect on which runs break over these "
        f"{len(breaking.studies)} studies (lowest p-value: {nearest.label}, "
        f"{nearest.p_value:.2g})."
    )
    return Claim(
        "no_breaking_across", (), None, None, None, "", breaking.overall.trials, 0.95,
        f"within these studies: {', '.join(breaking.studies)}", text,
    )  # fmt: skip


def _make_rate(
    kind: Kind, parameters: tuple[str, ...], rate: BreakRate, text: str, studies: Sequence[str]
) -> Claim:
    return Claim(
        kind, parameters, rate.rate, rate.low, rate.high, "fraction", rate.trials, 0.95,
        f"mean over these studies, weighted by their explored runs: {', '.join(studies)}; with all "
        "other levels and parameters, all intervals hold at once", text,
    )  # fmt: skip


def _make_pooled(
    kind: Kind,
    effect: LevelEffect,
    difference: PooledDifference,
    interval: tuple[float, float, float],
    unit: str,
    text: str,
) -> Claim:
    """n: studies, not runs."""
    return Claim(
        kind, _state_pair(effect.path, effect.level, effect.reference), *interval, unit,
        len(difference.by_study), 0.95,
        f"runs that trained; mean of studies of which {', '.join(difference.by_study)} are a "
        "sample (random effects)", text,
    )  # fmt: skip


def _state_pair(path: str, level: str, reference: str) -> tuple[str, str]:
    return state_level(path, level), state_level(path, reference)
