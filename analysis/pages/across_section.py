"""The comparison's section on what breaks training across studies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp

from markupsafe import Markup

from analysis.claims.across_claims import select_across
from analysis.claims.claim import Claim
from analysis.claims.list_claims import join_texts, select_claims
from analysis.claims.wording import capitalize, format_part, format_points
from analysis.figures.rates_across import plot_rates_across
from analysis.findings.breaking_across import BreakingAcross
from analysis.findings.comparison import Comparison
from analysis.findings.level_effects import MIN_RUNS, LevelEffect
from analysis.findings.pairs_across import PairAcross
from analysis.findings.parameters_across import Order, ParameterAcross
from analysis.pages.templating import FigureView, TableView, render_template, view_figure
from analysis.stats.rates import BreakRate

_MAX_PANELS = 6
_MAX_PAIRS = 3
_NOT_SIGNIFICANT = 2  # parameters that are shown where none is significant


@dataclass(frozen=True)
class PairView:
    """A table of two parameters at once; note: its p-value in words."""

    title: str
    note: str
    table: TableView
    is_significant: bool


def render_across_sections(comparison: Comparison, claims: Sequence[Claim]) -> list[Markup]:
    """Rates by level and study, what each level changes, and pairs; empty if none are shared."""
    breaking = comparison.breaking
    if breaking is None or not breaking.parameters:
        return []
    effects = {(e.path, e.level): e for e in comparison.levels}
    section = render_template(
        "across.html",
        answer=join_texts(select_claims(claims, "what_breaks")),
        breaking=breaking,
        min_runs=MIN_RUNS,
        sentences=[claim.text for claim in select_across(claims)],
        panels=_view_panels(breaking),
        rates=_tabulate_rates(breaking),
        levels=_tabulate_levels(breaking, effects),
        pairs=[_view_pair(pair) for pair in breaking.pairs[:_MAX_PAIRS]],
    )
    return [section]


def _view_panels(breaking: BreakingAcross) -> list[FigureView]:
    shown = breaking.significant_parameters or breaking.parameters[:_NOT_SIGNIFICANT]
    return [
        view_figure(
            plot_rates_across(parameter),
            f"Rate of breaking against {parameter.label}, by study",
            _describe_p_value(parameter.p_value),
        )
        for parameter in shown[:_MAX_PANELS]
    ]


def _tabulate_rates(breaking: BreakingAcross) -> TableView:
    """A row for each level, a column for each study."""
    heads = ["level", "runs", "collapsed", "show nothing", "break", "p", *breaking.studies]
    rows = [
        [
            f"{parameter.label} {rate.name}",
            rate.trials,
            rate.collapsed,
            rate.shows_nothing,
            format_part(rate.rate, rate.low, rate.high),
            _format_p(parameter.p_value),
            *(_count_of_study(parameter, label, i) for label in breaking.studies),
        ]
        for parameter in breaking.parameters
        for i, rate in enumerate(parameter.rates)
    ]
    return TableView(heads, rows)


def _count_of_study(parameter: ParameterAcross, label: str, level: int) -> str:
    """Collapsed and showing nothing of all runs, such as `3 + 1 of 18`."""
    rates = parameter.by_study.get(label)
    return "–" if rates is None else _count(rates[level])


def _count(rate: BreakRate) -> str:
    return f"{rate.collapsed} + {rate.shows_nothing} of {rate.trials}" if rate.trials else "–"


def _tabulate_levels(
    breaking: BreakingAcross, effects: Mapping[tuple[str, str], LevelEffect]
) -> TableView:
    heads = [
        "instead of", "level", "break", "change in breaking", "more / fewer / equal on studies",
        "p", "the same against the safest", "PSNR where runs train, dB", "in one more study",
        "studies", "time of a step",
    ]  # fmt: skip
    rows = [
        [
            f"{parameter.label} {contrast.reference.name}",
            contrast.level.name,
            format_part(contrast.level.rate, contrast.level.low, contrast.level.high),
            format_points(change.estimate, change.low, change.high),
            _format_order(contrast.order),
            _format_p(contrast.p_value),
            _compare_with_safest(parameter, contrast.level.name),
            *_format_effect(effects[parameter.path, contrast.level.name]),
        ]
        for parameter in breaking.parameters
        for contrast in parameter.contrasts
        for change in (contrast.difference,)
    ]
    return TableView(heads, rows)


def _format_order(order: Order) -> str:
    return f"{len(order.more)} / {len(order.fewer)} / {len(order.equal)}"


def _compare_with_safest(parameter: ParameterAcross, level: str) -> str:
    safest = parameter.safest.name
    order = parameter.order(level, safest)
    return "is the safest" if level == safest else f"{_format_order(order)} ({safest})"


def _format_effect(effect: LevelEffect) -> list[str]:
    """PSNR, its prediction, the number of studies, and the ratio of seconds."""
    psnr, log_seconds = effect.psnr.pooled, effect.log_seconds.pooled
    cells = ["–", "–", str(len(effect.psnr.by_study)), "–"]
    if psnr is not None:
        cells[0] = f"{psnr.mean:+.2f} [{psnr.low:+.2f}, {psnr.high:+.2f}]"
        cells[1] = f"{psnr.predicted_low:+.2f} to {psnr.predicted_high:+.2f}"
    if log_seconds is not None:
        low, high = exp(log_seconds.low), exp(log_seconds.high)
        cells[3] = f"× {exp(log_seconds.mean):.2f} [{low:.2f}, {high:.2f}]"
    return cells


def _view_pair(pair: PairAcross) -> PairView:
    columns, rows = pair.names
    table = TableView(
        [f"{pair.labels[1]} \\ {pair.labels[0]}", *columns],
        [
            [row, *(_describe_cell(rate) for rate in rates)]
            for row, rates in zip(rows, pair.rates, strict=True)
        ],
    )
    note = f"{len(pair.studies)} studies; {_describe_p_value(pair.p_value)}"
    title = f"{capitalize(pair.labels[0])} and {pair.labels[1]}"
    return PairView(title, note, table, pair.significant)


def _describe_cell(rate: BreakRate) -> str:
    return f"{_count(rate)} ({100 * rate.rate:.0f} %)" if rate.trials else "–"


def _describe_p_value(p: float) -> str:
    return f"p {'=' if p >= 0.001 else ''} {_format_p(p)}, corrected".replace("  ", " ")


def _format_p(p: float) -> str:
    return f"{p:.2g}" if p >= 0.001 else "< 0.001"
