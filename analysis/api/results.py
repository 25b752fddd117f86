"""Results: the answers of a `StudyAnalysis`, as sentences and a table, with their figure."""

from __future__ import annotations

import html
import os
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go

from analysis.figures.theme import PALETTES, blank_figure, escape_text, resolve_colours
from nerf.common.errors import InputError, closest

Draw = Callable[[], go.Figure]

_DIGITS = 3
_MAX_ROWS = 30  # that are shown of a table; `table` holds all


@dataclass(frozen=True, repr=False, eq=False)
class Result:
    """An answer about a study; Jupyter shows its sentences and its table.

    sentences: what the trials show, each with its interval; also why something is not claimed
    table: the numbers behind them, as a pandas DataFrame
    """

    sentences: tuple[str, ...]
    table: pd.DataFrame
    _figures: Mapping[tuple[str, ...], Draw] = field(default_factory=dict)

    @property
    def plottable(self) -> list[tuple[str, ...]]:
        """The arguments that `plot` takes, the default first: `()`, or names of parameters."""
        return list(self._figures)

    def plot(self, *parameters: str) -> go.Figure:
        """A Plotly figure of the result; `figure.write_html(path)` saves it.

        Args:
            parameters: one or two of `plottable`, for a result with a figure for each; the first
                of these if left out. Where there is nothing to plot, the figure says so.

        Raises:
            InputError: there is no figure of these parameters.
        """
        if not self._figures and not parameters:
            return _for_display(_say_nothing_to_plot(self.sentences))
        names = parameters or next(iter(self._figures))
        for arguments in (names, names[::-1]):
            if draw := self._figures.get(arguments):
                return _for_display(draw())
        known = [" and ".join(arguments) for arguments in self._figures if arguments]
        more = f"there are figures of: {', '.join(known)}" if known else "plot() takes none here"
        asked = " and ".join(names)
        raise InputError(f"no figure of {asked}{closest(asked, known, more)}")

    def _repr_html_(self) -> str:
        lines = "".join(map(_format_line, self.sentences))
        return lines + (self._format_table().to_html(max_rows=_MAX_ROWS) if len(self.table) else "")

    def __repr__(self) -> str:
        table = [self._format_table().to_string(max_rows=_MAX_ROWS)] if len(self.table) else []
        return "\n".join([*self.sentences, *table])

    def _format_table(self) -> pd.DataFrame:
        """The table with numbers as text of few digits, without missing ones and empty columns."""
        table = self.table.dropna(axis="columns", how="all")
        form = f"{{:.{_DIGITS}g}}".format
        for name in table.select_dtypes("float").columns:
            table[name] = table[name].map(form, na_action="ignore").astype(object).fillna("")
        return table


@dataclass(frozen=True)
class ReportFile:
    """A report that was written; `os.fspath` and `str` give its path."""

    path: Path

    def __fspath__(self) -> str:
        return str(self.path)

    def __str__(self) -> str:
        return str(self.path)

    def _repr_html_(self) -> str:
        try:  # Jupyter serves what lies below its own folder, by a relative link
            link = Path(os.path.relpath(self.path)).as_posix()
        except ValueError:  # on another drive
            link = self.path.as_uri()
        name = html.escape(str(self.path))
        return f'<p>Report: <a href="{html.escape(link)}" target="_blank">{name}</a></p>'


def _format_line(text: str) -> str:
    """A sentence as a paragraph, or an indented command as such, in HTML."""
    escaped = html.escape(text.strip(), quote=False)
    return f"<pre>{escaped}</pre>" if text.startswith(" ") else f"<p>{escaped}</p>"


def _say_nothing_to_plot(sentences: Sequence[str]) -> go.Figure:
    """A low figure that holds the sentences in place of data."""
    lines = textwrap.wrap(f"Nothing to plot. {' '.join(sentences)}", width=90)
    figure = blank_figure(height=40 + 20 * len(lines))
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    text = "<br>".join(map(escape_text, lines))
    figure.add_annotation(text=text, x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False)
    return figure


def _for_display(figure: go.Figure) -> go.Figure:
    """The figure in light colours on white, so that it can be read on a dark page as well."""
    figure = resolve_colours(figure)
    white = PALETTES["light"]["card"]
    return figure.update_layout(paper_bgcolor=white, plot_bgcolor=white)
