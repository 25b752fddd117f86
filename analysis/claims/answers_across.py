"""The five answers of a page of several studies, in plain words."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.claims.claim import Claim, Kind
from analysis.claims.wording import count_runs, format_part, join_names, name_variance
from analysis.findings.comparison import Comparison
from analysis.findings.level_effects import LevelEffect
from analysis.findings.parameters_across import BreakContrast, ParameterAcross

_MAX_NAMED = 3
_TOLERATED = 0.5
"""dB of PSNR that a level with which fewer runs break may cost."""


def list_answers_across(comparison: Comparison) -> Iterator[Claim]:
    """What matters and breaks over all studies, what to set, how sure, and what next."""
    yield _make("what_matters", comparison, _describe_what_matters(comparison))
    if comparison.breaking is not None:
        yield _make("what_breaks", comparison, _describe_what_breaks(comparison))
        yield _make("what_to_set", comparison, _describe_what_to_set(comparison))
    yield _make("how_sure", comparison, _describe_how_sure(comparison))
    yield _make("what_next", comparison, _describe_what_next(comparison))


def _describe_what_matters(comparison: Comparison) -> str:
    """The largest pooled shares, and whether studies differ in them."""
    native = comparison.is_native
    pooled = [
        (c, c.pooled)
        for c in comparison.parameters
        if c.pooled is not None and any(share.significant for share in c.shares.values())
    ]
    if not pooled:
        return "Not known: fewer than two of these studies rank a parameter that another varies."
    parts = [
        f"{c.label} {format_part(p.mean, max(p.low, 0.0), min(p.high, 1.0))}"
        for c, p in pooled[:_MAX_NAMED]
    ]
    text = f"On average over the studies, of {name_variance(comparison.metric, native)}: "
    text += join_names(parts)
    if differ := [c.label for c, _ in pooled if c.disagreeing]:
        text += f"; studies differ in that of {join_names(differ)}"
    return f"{text}."


def _describe_what_breaks(comparison: Comparison) -> str:
    """With which levels most and fewest runs break, of the parameters that decide it."""
    breaking = comparison.breaking
    assert breaking is not None
    overall = breaking.overall
    if not overall.broken:
        return f"Nothing did: none of {count_runs(overall.trials)} broke."
    text = f"{overall.broken} of {count_runs(overall.trials)} collapse or show nothing"
    parts = [
        f"{p.label} {p.worst.name} ({p.worst.rate:.0%} break, with {p.safest.name} "
        f"{p.safest.rate:.0%})".replace("%", " %")
        for p in breaking.significant_parameters[:_MAX_NAMED]
    ]
    if not parts:
        return f"{text}; no parameter clearly decides which."
    return f"{text}, most with {join_names(parts)}."


def _describe_what_to_set(comparison: Comparison) -> str:
    """The levels that break fewer runs than the reference, and cost no PSNR to speak of."""
    breaking = comparison.breaking
    assert breaking is not None
    effects = {(e.path, e.level): e for e in comparison.levels}
    parts = []
    for parameter in breaking.significant_parameters:
        better = [
            (c, effects[parameter.path, c.level.name])
            for c in parameter.contrasts
            if _is_better(c, effects[parameter.path, c.level.name])
        ]
        if better:
            contrast, effect = min(better, key=lambda pair: pair[0].difference.estimate)
            parts.append(_describe_better(parameter, contrast, effect))
    if not parts:
        return "Keep the defaults: no value is proved to break fewer runs at no cost in PSNR."
    return f"Set {'; '.join(parts)}. Keep the other defaults."


def _is_better(contrast: BreakContrast, effect: LevelEffect) -> bool:
    """Whether fewer runs break for sure, and PSNR surely falls by little where runs train."""
    psnr = effect.psnr.pooled
    fewer = contrast.significant and contrast.difference.high < 0.0
    return fewer and psnr is not None and psnr.low > -_TOLERATED


def _describe_better(
    parameter: ParameterAcross, contrast: BreakContrast, effect: LevelEffect
) -> str:
    psnr, change = effect.psnr.pooled, contrast.difference
    assert psnr is not None
    return (
        f"{parameter.label} {contrast.level.name} instead of {contrast.reference.name}: "
        f"{-100 * change.estimate:.0f} points [{-100 * change.high:.0f}, {-100 * change.low:.0f}] "
        f"fewer runs break, PSNR {psnr.mean:+.2f} dB [{psnr.low:+.2f}, {psnr.high:+.2f}]"
    )


def _describe_how_sure(comparison: Comparison) -> str:
    count = len(comparison.names)
    return (
        f"It rests on {count} studies: what is said of their average holds for studies like these, "
        "and single ones differ. Brackets are 95 % intervals."
    )


def _describe_what_next(comparison: Comparison) -> str:
    """One more study where averages are wanted, else the pages of the studies."""
    ahead = [
        (c.label, c.pooled)
        for c in comparison.parameters
        if c.pooled is not None and c.pooled.predicted_high - c.pooled.predicted_low > 0.3
    ]
    text = "What is open in a single study stands on its own page"
    if not ahead:
        return f"{text}."
    label, pooled = ahead[0]
    low, high = max(pooled.predicted_low, 0.0), min(pooled.predicted_high, 1.0)
    one_more = "the same design on one more scene" if comparison.is_native else "one more sweep"
    return (
        f"Run {one_more}: the share of {label} could be anything from {100 * low:.0f} to "
        f"{100 * high:.0f} % there. {text}."
    )


def _make(kind: Kind, comparison: Comparison, text: str) -> Claim:
    n = len(comparison.names)
    condition = f"over these studies: {', '.join(comparison.names)}"
    return Claim(kind, (), None, None, None, "", n, 0.95, condition, text)
