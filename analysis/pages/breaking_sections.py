"""The report's sections on what breaks training: rates, and the near and far bounds."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from analysis.claims.breaking_claims import list_breaking_claims
from analysis.claims.wording import format_part
from analysis.data.selection import select_measured
from analysis.figures.break_rates import plot_break_rates, plot_pair_break_rates
from analysis.figures.near_far_map import plot_near_far_map
from analysis.figures.trial_markers import describe_markers
from analysis.findings.bounds_map import FAR, NEAR, BoundsCell, format_ranges
from analysis.pages.section_answers import answer_bounds, answer_headline
from analysis.pages.templating import FigureView, render_template, view_figure
from analysis.pages.thumbnails import thumbnail
from analysis.stats.intervals import SIGNIFICANCE_LEVEL
from study.records.outcomes import COLLAPSED

if TYPE_CHECKING:
    from analysis.findings.analyze_study import Findings

_MAX_PANELS = 6
_MAX_PAIRS = 3
_IN_ANSWER = 2  # claims: how many runs break, and with what most of them
_SHOWN_RENDERS = 0.5
"""Part of the cells of the map of bounds that must have a render for any to be shown."""


@dataclass(frozen=True)
class CellView:
    """A cell of the map of bounds.

    rate: broken / trials; interval: the rate in words; image: a data URI, empty without a render
    """

    trial_id: str
    rate: float
    interval: str
    broken: int
    collapsed: int
    shows_nothing: int
    trials: int
    image: str


def render_breaking_section(findings: Findings) -> Markup:
    """Rates of breaking by parameter and by pair, with the recorded reasons of collapse."""
    sentences = [claim.text for claim in list_breaking_claims(findings)]
    return render_template(
        "breaking.html",
        answer=" ".join(sentences[:_IN_ANSWER]) or answer_headline(findings, "what_breaks"),
        breaking=findings.breaking,
        is_nerf=findings.study.is_nerf,
        sentences=sentences[_IN_ANSWER:],
        panels=_view_panels(findings),
        pair_panels=_view_pairs(findings),
        reasons=_count_reasons(findings),
    )


def _view_panels(findings: Findings) -> list[FigureView]:
    analysis = findings.breaking
    shown = (analysis.significant_parameters or analysis.parameters[:2])[:_MAX_PANELS]
    return [
        view_figure(
            plot_break_rates(breaking),
            f"Rate of breaking against {breaking.label}",
            _describe_p_value(breaking.p_value),
        )
        for breaking in shown
    ]


def _view_pairs(findings: Findings) -> list[FigureView]:
    return [
        view_figure(
            plot_pair_break_rates(pair),
            f"Rate of breaking over {pair.labels[0]} and {pair.labels[1]}",
            _describe_p_value(pair.p_value),
        )
        for pair in findings.breaking.significant_pairs[:_MAX_PAIRS]
    ]


def _describe_p_value(p: float) -> str:
    return f"p = {p:.2g}, corrected" + ("" if p < SIGNIFICANCE_LEVEL else ": not significant")


def _count_reasons(findings: Findings) -> str:
    """The reasons that collapsed trials recorded, each cut before the figures of its trial."""
    trials = findings.study.trials
    reasons = trials.loc[trials["outcome"] == COLLAPSED, "reason"]
    kinds = reasons.str.split(r":| between ").str[0]
    return "; ".join(f"{kind} ({n})" for kind, n in kinds[kinds != ""].value_counts().items())


def render_bounds_section(findings: Findings) -> Markup:
    """The map of near and far bounds; empty where they did not both vary."""
    bounds = findings.bounds
    if bounds is None:
        return Markup()
    trials, suggested = select_measured(findings.study.trials), findings.study.space.bounds
    rows = [
        (
            span,
            [
                (_view_cell(findings, cell), _encloses(suggested, end, min(fars)))
                for cell, end in zip(row, bounds.near[1:], strict=True)
            ],
        )
        for span, fars, row in zip(
            format_ranges(bounds.far), itertools.pairwise(bounds.far), bounds.cells, strict=True
        )
    ]
    images = [bool(cell.image) for _, row in rows for cell, _ in row if cell is not None]
    return render_template(
        "bounds.html",
        answer=answer_bounds(findings),
        has_suggestion=suggested is not None,
        has_renders=sum(images) >= _SHOWN_RENDERS * len(images),
        near=format_ranges(bounds.near),
        rows=rows,
        markers=describe_markers(trials),
        figure=view_figure(
            plot_near_far_map(trials, NEAR, FAR, suggested),
            "PSNR over the plane of near and far bounds",
        ),
    )


def _encloses(suggested: tuple[float, float] | None, near: float, far: float) -> bool:
    """Whether all bounds of a cell enclose the object; near: the highest, far: the lowest."""
    return suggested is not None and near <= suggested[0] and far >= suggested[1]


def _view_cell(findings: Findings, cell: BoundsCell | None) -> CellView | None:
    if cell is None:
        return None
    rate = cell.rate
    render = findings.study.folder.render(cell.trial_id)
    image = thumbnail(render, height=110, render_only=True)
    return CellView(
        cell.trial_id,
        rate.rate,
        format_part(rate.rate, rate.low, rate.high),
        rate.broken,
        rate.collapsed,
        rate.shows_nothing,
        rate.trials,
        image,
    )
