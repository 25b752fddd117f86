"""The best trial and the default one at the head of a report, with their values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.claims.advice_claims import format_good
from analysis.claims.wording import capitalize
from analysis.findings.recommendation import ValueAdvice, recommend
from analysis.findings.variants import label_variants
from analysis.pages.templating import format_cell
from analysis.pages.thumbnails import thumbnail

if TYPE_CHECKING:
    from analysis.findings.analyze_study import Findings


@dataclass(frozen=True)
class CardView:
    """One configuration with its render.

    image: a data URI, empty without a render; value: the metric, with its unit
    facts: what else is known of the trial
    """

    title: str
    trial_id: str
    image: str
    value: str
    facts: Sequence[str]


@dataclass(frozen=True)
class ValueView:
    """A varied parameter's value in the best trial and by default.

    good: the values that are as good on average, and what they lose at most; empty if not known
    """

    parameter: str
    best: object
    default: object
    good: str = ""

    @property
    def changed(self) -> bool:
        return format_cell(self.best) != format_cell(self.default)


def view_cards(findings: Findings) -> Iterator[CardView]:
    """The best configuration, and the default one where that is another trial."""
    best, default = findings.best, findings.default
    if best is None:
        return
    title = "Best run"
    if not findings.study.is_native:
        title = f"{capitalize(findings.study.metric.best)} {findings.study.metric.name}"
    if findings.study.has_variants:
        variants = label_variants(findings.study).set_index("trial_id")["variant"]
        title = f"Best run: {variants[best['trial_id']]}"
    yield _view_card(title, findings, best)
    if default is not None and default["trial_id"] != best["trial_id"]:
        yield _view_card("First run of the defaults", findings, default)


def _view_card(title: str, findings: Findings, trial: pd.Series) -> CardView:
    trial_id, study = str(trial["trial_id"]), findings.study
    facts, image = [], ""
    if study.is_native:
        image = thumbnail(study.folder.render(trial_id), height=220)
        if study.is_nerf:
            if np.isfinite(trial["test_psnr"]):
                facts.append(f"{trial['test_psnr']:.2f} dB on test views")
            facts.append(f"SSIM {trial['ssim']:.3f}")
        facts.append(f"{trial['train_seconds']:.0f} s")
        if np.isfinite(trial["peak_memory"]):
            facts.append(f"{trial['peak_memory']:.0f} MiB at its peak")
    elif np.isfinite(trial["train_seconds"]):
        seconds = trial["train_seconds"]
        facts.append(f"{seconds:.0f} s" if seconds >= 100 else f"{seconds:.3g} s")
    facts.append(f"trial {trial_id}")
    return CardView(title, trial_id, image, study.metric.format(trial["score"]), facts)


def _describe_good(findings: Findings, advice: ValueAdvice) -> str:
    """The values that are as good as the best on average: `0.9 to 1.8 (within 0.5 dB)`."""
    if not advice.matters:
        return "no clear effect"
    if not advice.good:
        return "not told apart"
    margin = findings.study.metric.with_unit_of_difference(f"{advice.margin:g}")
    return f"{format_good(advice)} (within {margin})"


def view_values(findings: Findings) -> list[ValueView]:
    """The varied parameters of the best trial; empty without one."""
    best, defaults = findings.best, findings.study.default_configuration
    if best is None:
        return []
    good = {p.dimension.path: _describe_good(findings, p) for p in recommend(findings).parameters}
    values = [
        ValueView(
            effect.axis_title, best[effect.path], defaults.get(effect.path),
            good.get(effect.path, ""),
        )
        for effect in findings.effects
    ]  # fmt: skip
    own = [d for branch in findings.study.branches for d in branch.dimensions]
    return values + [ValueView(d.label, best[d.path], None) for d in own if pd.notna(best[d.path])]
