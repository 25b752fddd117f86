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
from analysis.findings.recorded_trials import tabulate_recorded_trials
from analysis.findings.variants import label_variants
from analysis.pages.templating import render_template, view_figure
from analysis.pages.thumbnails import thumbnail

if TYPE_CHECKING:
    from analysis.data.study import Study
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
    alt = f"{study.metric.name} against the steps at which it was reported"
    if study.is_native:
        alt = "Validation PSNR against training steps"
    highlighted = {}
    if findings.default is not None:
        highlighted[str(findings.default["trial_id"])] = "defaults"
    if findings.best is not None:
        highlighted[str(findings.best["trial_id"])] = "best"
    figure = plot_learning_curves(
        study.curves, outcomes, highlighted, study.trivial_psnrs, study.metric
    )
    return render_template(
        "curves.html",
        figure=view_figure(figure, alt),
        has_levels=bool(study.trivial_psnrs),
        is_native=study.is_native,
    )


def render_cost_section(findings: Findings) -> Markup:
    """The metric against training time; empty with fewer than two measured trials of known time."""
    study, metric = findings.study, findings.study.metric
    trials = select_measured(study.trials)
    if not study.is_native:
        trials = trials[trials["train_seconds"].notna()]
    if len(trials) < _MIN_TRIALS:
        return Markup()
    figure = plot_pareto_front(trials, select_pareto_front(trials), metric)
    return render_template(
        "cost.html",
        figure=view_figure(
            figure, f"{metric.name} against seconds{' of training' if study.is_native else ''}"
        ),
        metric=metric,
        is_native=study.is_native,
        source=study.source,
    )


def render_combinations_section(findings: Findings) -> Markup:
    """Parallel coordinates; empty with fewer than two measured trials."""
    study = findings.study
    measured = select_measured(study.trials)
    # A trial of another tool that lacks a setting gets no line.
    trials = measured.dropna(subset=[dimension.path for dimension in study.space.dimensions])
    if len(trials) < _MIN_TRIALS:
        return Markup()
    figure = plot_parallel_coordinates(trials, study.space.dimensions, study.metric)
    return render_template(
        "combinations.html",
        figure=view_figure(figure, "Every trial as a line over all parameters"),
    )


def render_trials_section(findings: Findings) -> Markup:
    """The table of all trials with their renders, best first."""
    study = findings.study
    if not study.is_native:
        return _render_recorded_trials(study)
    heads, trials = dict(_HEADS), study.trials
    if study.has_variants:
        heads["variant"], trials = "variant", label_variants(study)
    columns = [*heads, *(effect.path for effect in findings.effects), "reason"]
    ranked = trials.sort_values("score", ascending=False)
    return render_template(
        "trials.html",
        heads=[*heads.values(), *(effect.label for effect in findings.effects), "reason"],
        trials=[_view_trial(findings, row, columns) for _, row in ranked.iterrows()],
        has_renders=True,
    )


def _render_recorded_trials(study: Study) -> Markup:
    """The table of another tool's trials, best first: what was recorded of them."""
    order = study.trials.sort_values("score", ascending=False).index
    table = tabulate_recorded_trials(study).loc[order]
    return render_template(
        "trials.html",
        heads=list(table.columns),
        trials=[
            TrialView(str(row["trial"]), str(row["state"]), "", [_blank_missing(v) for v in row])
            for _, row in table.iterrows()
        ],
        has_renders=False,
    )


def _blank_missing(value: object) -> object:
    """An empty text for what was not recorded, which a table sorts last."""
    return "" if value is None or value is pd.NA or value != value else value


def _view_trial(findings: Findings, row: pd.Series, columns: Sequence[str]) -> TrialView:
    trial_id = str(row["trial_id"])
    image = thumbnail(findings.study.folder.render(trial_id))
    return TrialView(trial_id, str(row["outcome"]), image, [row[column] for column in columns])
