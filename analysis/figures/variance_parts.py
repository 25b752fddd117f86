"""Parts of the variance as one bar of 100 %: each parameter alone, interactions, unexplained."""

from __future__ import annotations

import plotly.graph_objects as go

from analysis.figures.theme import (
    LINE_COLOURS,
    blank_figure,
    escape_text,
    mark_not_ranked,
    set_axis_titles,
)
from analysis.importance.shares import NEGLIGIBLE_SHARE, Importance, VariancePart

_MAX_PARAMETERS = 5
_MIN_LABELLED = 0.06
"""Part of the variance below which a segment has no room for its percentage."""


def plot_variance_parts(importance: Importance, metric: str = "PSNR") -> go.Figure:
    """The bar, the largest parameters first; grey, and marked, where they are not ranked."""
    figure = blank_figure(height=190)
    for name, share, hover, colour in _list_segments(importance):
        figure.add_bar(
            y=[""],
            x=[share],
            orientation="h",
            name=f"{name} {share:.0%}",
            marker_color=colour,
            text=f"{share:.0%}" if share >= _MIN_LABELLED else "",
            textposition="inside",
            insidetextanchor="middle",
            textfont={"color": "var(--paper)"},
            hovertemplate=f"{name}<br>{hover}<extra></extra>",
        )
    figure.update_layout(barmode="stack", legend_traceorder="normal")
    figure.update_xaxes(tickformat=".0%", range=[0, 1], tickvals=[0, 0.25, 0.5, 0.75, 1])
    figure.update_layout(margin={"l": 16, "r": 32})
    figure.update_yaxes(showgrid=False)
    set_axis_titles(figure, f"part of the variance of {metric}", "")
    return figure if importance.ranked else mark_not_ranked(figure)


def _list_segments(importance: Importance) -> list[tuple[str, float, str, str]]:
    """Name, size, hover text and colour of each segment; the smaller parameters share one.

    None if nothing could be fitted.
    """
    if not importance.parts:
        return []
    *alone, interactions, unexplained = importance.parts
    alone.sort(key=lambda part: -part.share)
    named = [part for part in alone[:_MAX_PARAMETERS] if part.share >= NEGLIGIBLE_SHARE]
    segments = [
        (f"{escape_text(part.name)} alone", part.share, _describe(part), colour)
        for part, colour in zip(named, LINE_COLOURS, strict=False)
    ]
    if others := alone[len(named) :]:
        share = sum(part.share for part in others)
        segments.append(("others alone", share, f"{share:.0%}", "var(--line)"))
    return [
        *segments,
        ("interactions", interactions.share, _describe(interactions), "var(--nothing)"),
        ("unexplained", unexplained.share, _describe(unexplained), "var(--chance)"),
    ]


def _describe(part: VariancePart) -> str:
    return f"{part.share:.0%} [{part.low:.0%}, {part.high:.0%}]"
