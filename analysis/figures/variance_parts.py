"""Parts of the variance that add up to 100 %: each parameter alone, interactions, unexplained."""

from __future__ import annotations

import plotly.graph_objects as go

from analysis.figures.choice_axis import wrap_label
from analysis.figures.theme import (
    LINE_COLOURS,
    blank_figure,
    mark_not_ranked,
    set_axis_titles,
    set_percent_axis,
)
from analysis.importance.shares import NEGLIGIBLE_SHARE, Importance, VariancePart

_MAX_PARAMETERS = 5
_ROW = 42  # pixels


def plot_variance_parts(importance: Importance, metric: str = "PSNR") -> go.Figure:
    """A bar for each part, which begins where the one above it ends, the largest parameters first.

    Grey, and marked, where the parameters are not ranked; without bars if nothing could be fitted.
    """
    segments = _list_segments(importance)
    figure = blank_figure(height=90 + _ROW * max(len(segments), 1))
    start = 0.0
    for name, share, numbers, colour in segments:
        figure.add_bar(
            # The numbers belong to the label: beside a bar there is not always room.
            y=[f"{wrap_label(name)}<br><b>{numbers}</b>"],
            x=[share],
            base=[start],
            orientation="h",
            name=name,
            marker_color=colour,
            hovertemplate="%{y}<extra></extra>",
            showlegend=False,
        )
        start += share
    figure.update_layout(bargap=0.3)
    set_percent_axis(figure, "x", margin=0.01)
    figure.update_yaxes(autorange="reversed", showgrid=False, ticklabelstandoff=4)
    set_axis_titles(figure, f"part of the variance of {metric}", "")
    return figure if importance.ranked else mark_not_ranked(figure, "top")


def _list_segments(importance: Importance) -> list[tuple[str, float, str, str]]:
    """Name, size, numbers as text and colour of each part; the smaller parameters share one.

    None if nothing could be fitted.
    """
    if not importance.parts:
        return []
    *alone, interactions, unexplained = importance.parts
    alone.sort(key=lambda part: -part.share)
    named = [part for part in alone[:_MAX_PARAMETERS] if part.share >= NEGLIGIBLE_SHARE]
    segments = [
        (f"{part.name} alone", part.share, _describe(part), colour)
        for part, colour in zip(named, LINE_COLOURS, strict=False)
    ]
    if others := alone[len(named) :]:
        share = sum(part.share for part in others)
        segments.append(("others alone", share, f"{share:.0%}".replace("%", " %"), "var(--soft)"))
    return [
        *segments,
        ("interactions", interactions.share, _describe(interactions), "var(--nothing)"),
        ("unexplained", unexplained.share, _describe(unexplained), "var(--chance)"),
    ]


def _describe(part: VariancePart) -> str:
    return f"{100 * part.share:.0f} % [{100 * part.low:.0f}, {100 * part.high:.0f}]"
