"""The report of one study: a self-contained HTML page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.findings.summary import summarize
from analysis.findings.variants import label_variants
from analysis.pages.breaking_sections import render_bounds_section, render_breaking_section
from analysis.pages.importance_sections import (
    render_importance_section,
    render_time_section,
    render_top_section,
)
from analysis.pages.templating import format_cell, render_template
from analysis.pages.thumbnails import thumbnail
from analysis.pages.trial_sections import (
    render_combinations_section,
    render_cost_section,
    render_curves_section,
    render_trials_section,
)
from analysis.pages.tuning_sections import (
    render_effects_section,
    render_seeds_section,
    render_tuning_section,
)
from analysis.pages.variant_section import render_variants_section

if TYPE_CHECKING:
    from analysis.findings.analyze_study import Findings

_SECTIONS = (
    render_variants_section,
    render_importance_section,
    render_top_section,
    render_breaking_section,
    render_bounds_section,
    render_effects_section,
    render_tuning_section,
    render_seeds_section,
    render_curves_section,
    render_time_section,
    render_cost_section,
    render_combinations_section,
    render_trials_section,
)


# Variants sample no space, so nothing of what follows from explored trials.
_VARIANT_SECTIONS = (
    render_variants_section,
    render_curves_section,
    render_cost_section,
    render_trials_section,
)


@dataclass(frozen=True)
class CardView:
    """One configuration with its render; image: a data URI, empty without a render."""

    title: str
    trial_id: str
    image: str
    psnr: float
    test_psnr: float | None
    ssim: float
    seconds: float


@dataclass(frozen=True)
class ValueView:
    """A varied parameter's value in the best trial and by default."""

    parameter: str
    best: object
    default: object

    @property
    def changed(self) -> bool:
        return format_cell(self.best) != format_cell(self.default)


def render_study_page(findings: Findings) -> str:
    """The whole page of one study as HTML."""
    sections = _VARIANT_SECTIONS if findings.study.has_variants else _SECTIONS
    return render_template(
        "study.html",
        title=findings.study.name,
        headline=findings.headline,
        summary=list(summarize(findings)),
        cards=list(_view_cards(findings)),
        values=_view_values(findings),
        has_default=bool(findings.study.defaults),
        default_was_run=findings.default is not None,
        sections=[render(findings) for render in sections],
        facts=_list_facts(findings),
    )


def _view_cards(findings: Findings) -> Iterator[CardView]:
    """The best configuration, and the default one where that is another trial."""
    best, default = findings.best, findings.default
    if best is None:
        return
    title = "Best configuration"
    if findings.study.has_variants:
        variants = label_variants(findings.study).set_index("trial_id")["variant"]
        title = f"Best run: {variants[best['trial_id']]}"
    yield _view_card(title, findings, best)
    if default is not None and default["trial_id"] != best["trial_id"]:
        yield _view_card("Defaults", findings, default)


def _view_card(title: str, findings: Findings, trial: pd.Series) -> CardView:
    trial_id = str(trial["trial_id"])
    return CardView(
        title=title,
        trial_id=trial_id,
        image=thumbnail(findings.study.folder.render(trial_id), height=220),
        psnr=trial["psnr"],
        test_psnr=trial["test_psnr"] if np.isfinite(trial["test_psnr"]) else None,
        ssim=trial["ssim"],
        seconds=trial["train_seconds"],
    )


def _view_values(findings: Findings) -> list[ValueView]:
    best, defaults = findings.best, findings.study.default_configuration
    if best is None:
        return []
    return [
        ValueView(effect.axis_title, best[effect.path], defaults.get(effect.path))
        for effect in findings.effects
    ]


def _list_facts(findings: Findings) -> dict[str, str]:
    """How the study was made; facts that are not known are left out."""
    study = findings.study
    fixed = ", ".join(f"{path}={value}" for path, value in study.space.fixed)
    facts = {
        "assumed": "; ".join(study.assumed),
        "command": " ".join(study.command),
        "scene": f"{study.scene.get('source', '')} ({str(study.scene.get('hash', ''))[:12]})",
        "varied": "; ".join(map(str, study.space.dimensions)),
        "held fixed": fixed or "all else at its default",
        "versions": ", ".join(f"{name} {version}" for name, version in study.versions.items()),
        "created": study.created,
    }
    return {name: fact for name, fact in facts.items() if fact}
