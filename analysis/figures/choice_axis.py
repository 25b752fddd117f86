"""An axis of choices or ranges by name, whose labels are never rotated and never overlap."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from analysis.figures.theme import escape_text

_MAX_LABEL = 12  # characters of a label on one line
_CHARACTER = 7.0  # pixels of a character of a label
_PLOT_WIDTH = 250.0  # pixels of the plot in the narrowest figure, of a phone
_ROW = 26  # pixels of a choice on a vertical axis

_SWAPPED_SYMBOLS = {"line-ew": "line-ns"}


def wrap_label(name: str) -> str:
    """Escaped text; if it is long, with a line break after each underscore and before "to"."""
    text = escape_text(name)
    if len(name) <= _MAX_LABEL:
        return text
    return text.replace("_", "_<br>").replace(" to ", "<br>to ")


def set_choice_axis(figure: go.Figure, names: Sequence[str]) -> go.Figure:
    """Labels the places 0, 1, ... along x; moves them to the y axis if they do not fit below.

    Every second label stands a row lower where that is needed for the rest to fit; only labels
    that do not fit so are broken into lines.
    """
    labels = [escape_text(name) for name in names]
    if not _fit_in_rows(labels, 2):
        labels = [wrap_label(name) for name in names]
    fits = _fit_in_rows(labels, 2)
    if fits and not _fit_in_rows(labels, 1):
        height = max(label.count("<br>") + 1 for label in labels)
        labels = ["<br>" * height * (i % 2) + label for i, label in enumerate(labels)]
    figure.update_xaxes(
        tickvals=list(range(len(labels))), ticktext=labels, range=[-0.6, len(labels) - 0.4]
    )
    return figure if fits else _swap_axes(figure, len(labels))


def _fit_in_rows(labels: Sequence[str], rows: int) -> bool:
    """Whether no two neighbours in a row overlap, in a figure as narrow as a phone.

    Every `rows`-th label is in the same row.
    """
    widths = [_count_characters(label) * _CHARACTER for label in labels]
    room = rows * _PLOT_WIDTH / max(len(labels), 1)
    neighbours = zip(widths, widths[rows:], strict=False)
    return all((first + second) / 2 < room for first, second in neighbours)


def _count_characters(label: str) -> int:
    """Of the longest line of escaped text."""
    return max(map(len, html.unescape(label).split("<br>")))


def _swap_axes(figure: go.Figure, choices: int) -> go.Figure:
    """The same figure of scatter traces with x and y exchanged, high enough for all choices."""
    drawn = figure.to_plotly_json()
    layout = drawn["layout"]
    layout["xaxis"], layout["yaxis"] = layout["yaxis"], layout["xaxis"]
    layout["yaxis"]["range"] = layout["yaxis"]["range"][::-1]  # the first choice on top
    layout["height"] = max(layout["height"], 100 + _ROW * choices)
    return go.Figure([_swap_trace(trace) for trace in drawn["data"]], layout)


def _swap_trace(trace: dict[str, Any]) -> dict[str, Any]:
    others = {"x": "y", "y": "x", "error_x": "error_y", "error_y": "error_x"}
    swapped = {others.get(key, key): value for key, value in trace.items()}
    if "hovertemplate" in swapped:
        text = swapped["hovertemplate"]
        swapped["hovertemplate"] = (
            text.replace("%{x", "%{?").replace("%{y", "%{x").replace("%{?", "%{y")
        )
    marker = swapped.get("marker", {})
    if "symbol" in marker:
        swapped["marker"] = marker | {
            "symbol": _SWAPPED_SYMBOLS.get(marker["symbol"], marker["symbol"])
        }
    return swapped
