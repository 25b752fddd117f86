"""Small pieces of HTML. Everything that comes from a study is escaped here."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from analysis.figures.theme import PALETTES

if TYPE_CHECKING:
    pass


def text(value: object) -> str:
    """`value` as text that no browser reads as markup."""
    return html.escape(str(value), quote=True)


def cell(value: object) -> str:
    """A table cell's text: numbers to four significant digits."""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        return f"{value:.4g}" if np.isfinite(value) else "–"
    return "–" if value is None else text(value)


def section(anchor: str, question: str, body: str, limits: str) -> str:
    """One question with its answer, and beneath it what the answer does not bear."""
    return (
        f'<section id="{anchor}"><h2>{question}</h2>{body}<p class="limits">{limits}</p></section>'
    )


def refusal(why: str) -> str:
    """A box that says why something is not shown."""
    return f'<p class="refusal">{text(why)}</p>'


def figure(drawn: go.Figure, alt: str) -> str:
    """A figure as data that the page's script draws."""
    data = drawn.to_json().replace("</", "<\\/").replace("<!--", "<\\!--")
    return (
        f'<div class="figure" role="img" aria-label="{text(alt)}" '
        f'style="min-height:{drawn.layout.height}px"></div>'
        f'<script type="application/json">{data}</script>'
    )


def grid(parts: list[str]) -> str:
    """Parts side by side where there is room."""
    return f'<div class="grid">{"".join(f"<div>{part}</div>" for part in parts)}</div>'


def table(heads: list[str], rows: list[list[object]]) -> str:
    """A plain table; its first column names the rows."""
    header = "".join(f"<th>{text(head)}</th>" for head in heads)
    body = "".join(
        f"<tr><th scope=row>{cell(first)}</th>{''.join(f'<td>{cell(v)}</td>' for v in rest)}</tr>"
        for first, *rest in rows
    )
    return (
        f'<div class="scroll"><table class="plain"><thead><tr>{header}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


_ASSETS = Path(__file__).parent


def shell(title: str, head: str, main: str, foot: str) -> str:
    """The whole page: markup, style, script, plotly.js, data and pictures, nothing fetched."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(title)} · NeRF study</title><style>{_style()}</style></head><body>"
        f"{head}<main>{main}</main>{foot}"
        f"<script>{get_plotlyjs()}</script>"
        f"<script>{(_ASSETS / 'report.js').read_text()}</script></body></html>\n"
    )


def _style() -> str:
    def rule(theme: str) -> str:
        return ";".join(f"--{name}:{colour}" for name, colour in PALETTES[theme].items())

    return (
        f":root{{{rule('light')};color-scheme:light dark}}"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{rule('dark')}}}}}"
        + (_ASSETS / "report.css").read_text()
    )
