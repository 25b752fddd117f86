"""Findings -> one self-contained HTML page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.findings.summary import words
from analysis.pages.collapse_sections import bounds, collapse
from analysis.pages.importance_sections import importance, time, top
from analysis.pages.markup import cell, shell, text
from analysis.pages.thumbnails import thumbnail
from analysis.pages.trial_sections import combinations, cost, curves, trials
from analysis.pages.tuning_sections import effects, seeds, tuning

if TYPE_CHECKING:
    from analysis.findings.study_findings import Findings


def document(found: Findings) -> str:
    """The page of one study."""
    return shell(found.study.name, _head(found), sections(found), _foot(found))


def _head(found: Findings) -> str:
    study = found.study
    facts = "".join(f"<dt>{text(name)}</dt><dd>{text(said)}</dd>" for name, said in words(found))
    return (
        f'<header><p class="kicker">NeRF hyperparameter study</p><h1>{text(study.name)}</h1>'
        f'<p class="lead">{text(found.headline)}</p><dl class="findings">{facts}</dl>'
        f"{_cards(found)}</header>"
    )


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
        f'<img src="{picture}" alt="Held-out view rendered by trial {text(trial["trial_id"])}, '
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
        f"trial {text(trial['trial_id'])}</small></figcaption></figure>"
    )


def _comparison(found: Findings) -> str:
    """The varied parameters' values, best beside default."""
    study, best = found.study, found.best
    if best is None:
        return ""
    defaults = study.default_configuration
    rows = []
    for effect in found.effects:
        default = defaults.get(effect.path)
        value = best[effect.path]
        changed = ' class="changed"' if cell(value) != cell(default) else ""
        rows.append(
            f"<tr{changed}><th scope=row>{text(effect.axis_title)}</th>"
            f"<td>{cell(value)}</td><td>{cell(default)}</td></tr>"
        )
    note = "" if found.default is not None else " (not run in this study)"
    return (
        '<div class="scroll"><table class="plain"><thead><tr><th>parameter</th><th>best</th>'
        f"<th>default{note}</th></tr></thead><tbody>{''.join(rows)}</tbody></table>"
        '<p class="limits">The best of many trials is partly lucky: its validation PSNR flatters '
        "it, its test PSNR was not used to choose it.</p></div>"
    )


def _foot(found: Findings) -> str:
    study = found.study
    facts = {
        "assumed": "; ".join(study.assumed),
        "command": " ".join(study.command),
        "scene": f"{study.scene.get('source', '')} ({str(study.scene.get('hash', ''))[:12]})",
        "varied": "; ".join(map(str, study.space.dimensions)),
        "held fixed": ", ".join(f"{k}={v}" for k, v in study.space.fixed)
        or "nothing off its default",
        "versions": ", ".join(f"{k} {v}" for k, v in study.versions.items()),
        "created": study.created,
    }
    rows = "".join(f"<dt>{name}</dt><dd>{text(fact)}</dd>" for name, fact in facts.items() if fact)
    return f"<footer><h2>What was run</h2><dl>{rows}</dl></footer>"


def sections(found: Findings) -> str:
    """All that the study bears, top-down."""
    parts = [
        importance, top, collapse, bounds, effects, tuning, seeds, curves, time, cost,
        combinations, trials,
    ]  # fmt: skip
    return "".join(part(found) for part in parts)
