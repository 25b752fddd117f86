"""Jinja2 with autoescape, and the view objects that most templates share.

Whatever comes from a study reaches a template as plain text and is escaped there. Only this module
marks text as safe: this package's own style and script, plotly.js, and figures as JSON.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Number
from pathlib import Path

import jinja2
import numpy as np
import plotly.graph_objects as go
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from analysis.claims.wording import capitalize
from analysis.figures.theme import PALETTES

_ASSETS = Path(__file__).parent
_TAGS_OR_TEXT = re.compile(r"<(script|style|pre|code|title)\b.*?</\1>|<[^>]*>|[^<]+", re.DOTALL)
_BEFORE_UNIT = re.compile(r"(?<=\d) (?=(%|dB|points?|ms|s|min|h|[KMG]iB)(?!\w))")
_STYLES = ("report", "answers")  # in this order: the latter has what stands above the sections


@dataclass(frozen=True)
class FigureView:
    """A figure for report.js to draw.

    json: the figure, safe inside <script>; alt: its description; height: in pixels
    """

    json: Markup
    alt: str
    height: int
    note: str = ""


@dataclass(frozen=True)
class TableView:
    """A plain table; the first cell of each row names the row."""

    heads: Sequence[str]
    rows: Sequence[Sequence[object]]

    def is_numeric(self, column: int) -> bool:
        """Whether a column holds numbers, which are right-aligned; never the names of the rows."""
        return column > 0 and any(isinstance(row[column], Number) for row in self.rows)


def view_figure(figure: go.Figure, alt: str, note: str = "") -> FigureView:
    """A figure as data of the page, with a description and a note below it."""
    # "<" occurs in JSON within strings only; escaped, it can neither end the script nor open one.
    json = Markup(figure.to_json().replace("<", "\\u003c"))
    return FigureView(json, alt, int(figure.layout.height), note)


def render_template(name: str, **views: object) -> Markup:
    """The template of that name with the views as its variables; no line ends before a unit."""
    return Markup(_join_units(_environment().get_template(name).render(**views)))


def _join_units(html: str) -> str:
    """Puts a no-break space between numbers and units in text, other than of code and scripts."""
    return _TAGS_OR_TEXT.sub(
        lambda part: part[0] if part[0].startswith("<") else _BEFORE_UNIT.sub("\u00a0", part[0]),
        html,
    )


def list_contents(sections: Sequence[Markup]) -> dict[str, Markup]:
    """The anchor of each section of a page with its heading, in their order."""
    # As the macro `section` writes them; headings are escaped already.
    heads = re.findall(r'<section id="([\w-]+)"><h2[^>]*>(.*?)</h2>', "".join(sections))
    return {anchor: Markup(question) for anchor, question in heads}


def format_cell(value: object) -> str:
    """A value as the text of a table cell: numbers to four significant digits."""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        return f"{value:.4g}" if np.isfinite(value) else "–"
    return "–" if value is None else str(value)


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_ASSETS / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    environment.filters["cell"] = format_cell
    environment.filters["capitalize_first"] = capitalize
    environment.globals["style"] = Markup(_style())
    environment.globals["report_js"] = Markup((_ASSETS / "report.js").read_text(encoding="utf-8"))
    environment.globals["plotly_js"] = Markup(get_plotlyjs())
    return environment


def _style() -> str:
    def rule(theme: str) -> str:
        return ";".join(f"--{name}:{colour}" for name, colour in PALETTES[theme].items())

    return (
        f":root{{{rule('light')};color-scheme:light dark}}"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{rule('dark')}}}}}"
        + "".join((_ASSETS / f"{name}.css").read_text(encoding="utf-8") for name in _STYLES)
    )
