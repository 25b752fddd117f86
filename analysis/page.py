"""Findings -> one self-contained HTML page. Everything that comes from a study is escaped here."""

from __future__ import annotations

import html
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from analysis import figures
from analysis.thumbnails import thumbnail
from nerf.parameters import parameter

if TYPE_CHECKING:
    from analysis.report import Findings

_ASSETS = Path(__file__).parent / "page"
_NEAR, _FAR = "sampling.near", "sampling.far"


def document(found: Findings) -> str:
    """The whole page: markup, style, script, plotly.js, data and pictures, nothing fetched."""
    sections = "".join(
        [_importance(found), _effects(found), _bounds(found), _curves(found), _trials(found)]
    )
    title = f"{_text(found.study.name)} · NeRF study"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_style()}</style></head><body>"
        f"{_head(found)}<main>{sections}</main>{_foot(found)}"
        f"<script>{get_plotlyjs()}</script>"
        f"<script>{(_ASSETS / 'report.js').read_text()}</script></body></html>\n"
    )


def _head(found: Findings) -> str:
    study = found.study
    return (
        f'<header><p class="kicker">NeRF hyperparameter study</p><h1>{_text(study.name)}</h1>'
        f'<p class="lead">{_summary(found)}</p>{_cards(found)}</header>'
    )


def _summary(found: Findings) -> str:
    """The findings in words, claiming no more than the intervals bear."""
    trials = found.study.trials
    scene = _text(str(found.study.scene.get("name", "an unnamed scene")))
    sentences = [f"{len(trials)} trials on <em>{scene}</em>: {_states(trials)}."]
    if found.best is None:
        sentences.append("None of them has finished yet.")
    else:
        sentences.append(
            f"The best reached {found.best['psnr']:.2f} dB on the validation views{_gain(found)}."
        )
    sentences.append(_text(found.headline))
    return " ".join(sentences)


def _gain(found: Findings) -> str:
    if found.best is None or found.default is None:
        return "; the default configuration itself was not run, so no gain over it is claimed"
    gain = found.best["psnr"] - found.default["psnr"]
    if gain <= 0:
        return ", and it is the default configuration" if gain == 0 else ""
    return f", {gain:.2f} dB above the default configuration (one seed each)"


def _states(trials: pd.DataFrame) -> str:
    counts = trials["state"].value_counts()
    return ", ".join(f"{count} {state}" for state, count in counts.items()) or "none ended yet"


def _cards(found: Findings) -> str:
    """Best and default configuration side by side, with their renders."""
    if found.best is None:
        return ""
    cards = [_card("Best configuration", found, found.best)]
    if found.default is not None and found.default["trial_id"] != found.best["trial_id"]:
        cards.append(_card("Defaults", found, found.default))
    return (
        f'<div class="summary"><div class="cards">{"".join(cards)}</div>{_comparison(found)}</div>'
    )


def _card(title: str, found: Findings, trial: pd.Series) -> str:
    picture = thumbnail(found.study.folder.render(str(trial["trial_id"])), height=220)
    image = (
        f'<img src="{picture}" alt="Held-out view rendered by trial {_text(trial["trial_id"])}, '
        'beside the photograph">'
        if picture
        else ""
    )
    test = (
        f"{trial['test_psnr']:.2f} dB on test views · " if np.isfinite(trial["test_psnr"]) else ""
    )
    return (
        f'<figure class="card">{image}<figcaption><b>{title}</b>'
        f'<span class="big">{trial["psnr"]:.2f} dB</span>'
        f"<small>{test}SSIM {trial['ssim']:.3f} · {trial['train_seconds']:.0f} s · "
        f"trial {_text(trial['trial_id'])}</small></figcaption></figure>"
    )


def _comparison(found: Findings) -> str:
    """The varied parameters' values, best beside default."""
    study, best = found.study, found.best
    if best is None:
        return ""
    defaults = study.space.defaults()
    rows = []
    for effect in found.effects:
        default = defaults.get(effect.path, parameter(effect.path).default)
        value = best[effect.path]
        changed = ' class="changed"' if _value(value) != _value(default) else ""
        rows.append(
            f"<tr{changed}><th scope=row>{_text(effect.axis_title)}</th>"
            f"<td>{_value(value)}</td><td>{_value(default)}</td></tr>"
        )
    note = "" if found.default is not None else " (not run in this study)"
    return (
        '<div class="scroll"><table class="plain"><thead><tr><th>parameter</th><th>best</th>'
        f"<th>default{note}</th></tr></thead><tbody>{''.join(rows)}</tbody></table>"
        '<p class="limits">The best of many trials is partly lucky: its validation PSNR flatters '
        "it, its test PSNR was not used to choose it.</p></div>"
    )


def _importance(found: Findings) -> str:
    importance = found.importance
    used = _text(found.used.sentence())
    if not importance.shares:
        body = f'<p class="refusal">{_text(importance.headline())}</p>'
        return _section("importance", "Which parameters matter?", body, used)
    quality = ", ".join(f"{name} {r2:.2f}" for name, r2 in importance.r2.items())
    refusal = (
        ""
        if importance.ranked
        else f'<p class="refusal">{_text(importance.headline())} What follows is a sketch, '
        "no ranking.</p>"
    )
    limits = (
        f"{used} Sobol' shares of a {_text(importance.surrogate)} fitted to them, under the "
        f"declared prior; cross-validated R²: {quality}. Lines are 95 % intervals, bootstrapped "
        "over trials; the red tick is what 95 % of shuffled studies stay below. Total shares count "
        "interactions more than once and may add up to over 100 %. Collapsed trials that ended "
        "early are not in them. Shares hold for this scene, this budget and these domains."
    )
    body = refusal + _figure(
        figures.importance_bars(importance), "Share of PSNR's variance for each parameter"
    )
    return _section("importance", "Which parameters matter?", body, limits)


def _effects(found: Findings) -> str:
    body = "".join(
        f"<div>{_figure(figures.effect(effect), f'PSNR against {effect.label}')}</div>"
        for effect in found.effects
    )
    return _section(
        "effects", "How does each parameter act?", f'<div class="grid">{body}</div>',
        "Every trial of both phases with a finite PSNR; ● completed, ▼ pruned before its budget, "
        "✕ collapsed. All other parameters vary at the same time, so a cloud without a trend does "
        "not prove that a parameter is idle. " + _derived(found),
    )  # fmt: skip


def _derived(found: Findings) -> str:
    if any(d.path == "sampling.span" for d in found.study.space.dimensions):
        return (
            "Far is not drawn itself: near and the distance between the two are, so that every "
            "pair is valid."
        )
    return ""


def _bounds(found: Findings) -> str:
    trials = found.study.trials
    measured = trials[np.isfinite(trials["psnr"])]
    if measured[_NEAR].nunique() < 2 and measured[_FAR].nunique() < 2:
        return ""
    body = _figure(
        figures.near_far(measured, _NEAR, _FAR), "PSNR over the plane of near and far bounds"
    )
    return _section(
        "bounds", "Which near and far bounds work?", body,
        "Shapes as above; the other parameters vary as well.",
    )  # fmt: skip


def _curves(found: Findings) -> str:
    study = found.study
    if study.curves.empty:
        return ""
    states = dict(zip(study.trials["trial_id"], study.trials["state"], strict=True))
    highlighted = {}
    if found.default is not None:
        highlighted[str(found.default["trial_id"])] = "defaults"
    if found.best is not None:
        highlighted[str(found.best["trial_id"])] = "best"
    drawn = figures.curves(study.curves, states, highlighted, study.baselines)
    levels = (
        " Dotted levels are pictures that know nothing of the scene." if study.baselines else ""
    )
    return _section(
        "curves", "How did training go?", _figure(drawn, "Validation PSNR against training steps"),
        f"Solid lines completed, dashed were pruned, dotted collapsed.{levels}",
    )  # fmt: skip


def _trials(found: Findings) -> str:
    study = found.study
    plain = [
        "trial_id",
        "phase",
        "state",
        "psnr",
        "test_psnr",
        "ssim",
        "steps_done",
        "train_seconds",
    ]
    heads = ["trial", "phase", "state", "PSNR", "test PSNR", "SSIM", "steps", "seconds"]
    paths = [effect.path for effect in found.effects]
    heads += [effect.label for effect in found.effects] + ["reason"]
    header = "".join(
        f'<th aria-sort="none"><button type="button">{_text(head)}</button></th>' for head in heads
    )
    rows = "".join(
        _row(row, [*plain, *paths, "reason"], thumbnail(study.folder.render(row["trial_id"])))
        for row in study.trials.sort_values("psnr", ascending=False).to_dict("records")
    )
    body = (
        '<div class="scroll tall"><table id="trials"><thead><tr><th>render · truth</th>'
        f"{header}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
    return _section("trials", "Every trial", body, "Press a heading to sort by it.")


def _row(row: Mapping[Hashable, object], columns: list[str], picture: str) -> str:
    image = (
        f'<img loading="lazy" src="{picture}" alt="render of trial {_text(row["trial_id"])}">'
        if picture
        else '<span class="soft">none</span>'
    )
    cells = "".join(f'<td data-v="{_text(row[c])}">{_value(row[c])}</td>' for c in columns)
    return f'<tr class="{_text(row["state"])}"><td>{image}</td>{cells}</tr>'


def _foot(found: Findings) -> str:
    study = found.study
    facts = {
        "command": " ".join(study.command),
        "scene": f"{study.scene.get('source', '')} ({str(study.scene.get('hash', ''))[:12]})",
        "varied": "; ".join(map(str, study.space.dimensions)),
        "held fixed": ", ".join(f"{k}={v}" for k, v in study.space.fixed)
        or "nothing off its default",
        "versions": ", ".join(f"{k} {v}" for k, v in study.versions.items()),
        "created": study.created,
    }
    rows = "".join(f"<dt>{name}</dt><dd>{_text(fact)}</dd>" for name, fact in facts.items() if fact)
    return f"<footer><h2>What was run</h2><dl>{rows}</dl></footer>"


def _section(anchor: str, question: str, body: str, limits: str) -> str:
    return (
        f'<section id="{anchor}"><h2>{question}</h2>{body}<p class="limits">{limits}</p></section>'
    )


def _figure(figure: go.Figure, alt: str) -> str:
    data = figure.to_json().replace("</", "<\\/").replace("<!--", "<\\!--")
    return (
        f'<div class="figure" role="img" aria-label="{_text(alt)}" '
        f'style="min-height:{figure.layout.height}px"></div>'
        f'<script type="application/json">{data}</script>'
    )


def _style() -> str:
    def rule(theme: str) -> str:
        return ";".join(f"--{name}:{colour}" for name, colour in figures.PALETTES[theme].items())

    return (
        f":root{{{rule('light')};color-scheme:light dark}}"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{rule('dark')}}}}}"
        + (_ASSETS / "report.css").read_text()
    )


def _value(value: object) -> str:
    """A table cell's text: numbers to four significant digits."""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        return f"{value:.4g}" if np.isfinite(value) else "–"
    return _text(value)


def _text(value: object) -> str:
    return html.escape(str(value), quote=True)
