"""The report's sections that show the trials themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from analysis.data.selection import select_measured
from analysis.figures.learning_curves import plot_learning_curves
from analysis.figures.parallel_coordinates import plot_parallel_coordinates
from analysis.figures.pareto_front import plot_pareto_front
from analysis.findings.pareto_front import select_pareto_front
from analysis.findings.variants import label_variants
from analysis.pages.templating import render_template, view_figure
from analysis.pages.thumbnails import thumbnail

if TYPE_CHECKING:
    from analysis.findings.analyze_study import Findings

_MIN_TRIALS = 2
"""Measured trials below which trials are not compared with one another."""

_HEADS = {
    "trial_id": "trial",
    "phase": "phase",
    "outcome": "outcome",
    "psnr": "PSNR",
    "test_psnr": "test PSNR",
    "ssim": "SSIM",
    "steps_done": "steps",
    "train_seconds": "seconds",
}


@dataclass(frozen=True)
class TrialView:
    """A row of the table of trials; image: a data URI, empty without a render."""

    trial_id: str
    outcome: str
    image: str
    values: Sequence[object]


def render_curves_section(findings: Findings) -> Markup:
    """Learning curves; empty where no trial has any."""
    study = findings.study
    if study.curves.empty:
        return Markup()
    outcomes = dict(zip(study.trials["trial_id"], study.trials["outcome"], strict=True))
    highlighted = {}
    if findings.default is not None:
        highlighted[str(findings.default["trial_id"])] = "defaults"
    if findings.best is not None:
        highlighted[str(findings.best["trial_id"])] = "best"
    figure = plot_learning_curves(study.curves, outcomes, highlighted, study.trivial_psnrs)
    return render_template(
        "curves.html",
        figure=view_figure(figure, "Validation PSNR against training steps"),
        has_levels=bool(study.trivial_psnrs),
    )


def render_cost_section(findings: Findings) -> Markup:
    """PSNR against training time; empty with fewer than two measured trials."""
    trials = select_measured(findings.study.trials)
    if len(trials) < _MIN_TRIALS:
        return Markup()
    figure = plot_pareto_front(trials, select_pareto_front(trials))
    return render_template(
        "cost.html", figure=view_figure(figure, "PSNR against seconds of training")
    )


def render_combinations_section(findings: Findings) -> Markup:
    """Parallel coordinates; empty with fewer than two measured trials."""
    trials = select_measured(findings.study.trials)
    if len(trials) < _MIN_TRIALS:
        return Markup()
    figure = plot_parallel_coordinates(trials, findings.study.space.dimensions)
    return render_template(
        "combinations.html",
        figure=view_figure(figure, "Every trial as a line over all parameters"),
    )


def render_trials_section(findings: Findings) -> Markup:
    """The table of all trials with their renders, best first."""
    study = findings.study
    heads, trials = dict(_HEADS), study.trials
    if study.has_variants:
        heads["variant"], trials = "variant", label_variants(study)
    columns = [*heads, *(effect.path for effect in findings.effects), "reason"]
    ranked = trials.sort_values("score", ascending=False)
    return render_template(
        "trials.html",
        heads=[*heads.values(), *(effect.label for effect in findings.effects), "reason"],
        trials=[_view_trial(findings, row, columns) for _, row in ranked.iterrows()],
    )


def _view_trial(findings: Findings, row: pd.Series, columns: Sequence[str]) -> TrialView:
    trial_id = str(row["trial_id"])
    image = thumbnail(findings.study.folder.render(trial_id))
    return TrialView(trial_id, str(row["outcome"]), image, [row[column] for column in columns])
