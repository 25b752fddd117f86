"""The report's sections that show the trials themselves."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from markupsafe import Markup

from analysis.data.metric import PSNR
from analysis.data.selection import select_measured
from analysis.data.shown_trials import describe_shown, select_shown
from analysis.figures.parallel_coordinates import plot_parallel_coordinates
from analysis.figures.study_figures import (
    describe_trial_curves,
    plot_cost,
    plot_trial_curves,
    select_combinations,
    trivial_levels,
)
from analysis.findings.recorded_trials import tabulate_recorded_trials
from analysis.findings.variants import label_variants
from analysis.pages.section_answers import answer_combinations, answer_cost, answer_curves
from analysis.pages.templating import format_cell, render_template, view_figure
from analysis.pages.thumbnails import has_thumbnails, thumbnail
from study.records.schema import TableSchema, phase_name
from study.trainers.objective import NERF_METRICS

if TYPE_CHECKING:
    from analysis.data.study import Study
    from analysis.findings.analyze_study import Findings

_HEADS = {
    "trial_id": "trial",
    "phase": "phase",
    "outcome": "outcome",
    "psnr": "PSNR",
    "test_psnr": "test PSNR",
    "ssim": "SSIM",
}
_LAST_HEADS = {"steps_done": "steps", "train_seconds": "seconds", "peak_memory": "peak MiB"}

_DECIMALS_OF_ANY = {"train_seconds": 1, "peak_memory": 0}
_DECIMALS = _DECIMALS_OF_ANY | {"psnr": 2, "test_psnr": 2, "ssim": 3}
"""Digits of what a repetition would still change the next one of."""

MAX_RENDERS = 200
"""Rows of the table with a render: of the best trials, and evenly of the others."""


@dataclass(frozen=True)
class CellView:
    """A cell of the table; value: what it is sorted by; text: empty for what is not known.

    note: what explains the text, such as the reason of an outcome
    """

    value: object
    text: str
    is_number: bool
    note: str = ""


@dataclass(frozen=True)
class TrialView:
    """A row of the table of trials; image: a data URI, empty without a render."""

    trial_id: str
    outcome: str
    image: str
    cells: Sequence[CellView]


def render_curves_section(findings: Findings) -> Markup:
    """Learning curves; empty where no trial has any."""
    study = findings.study
    if study.curves.empty:
        return Markup()
    alt = f"{study.metric.name} against the steps at which it was reported"
    if study.metric == PSNR:
        alt = "Validation PSNR against training steps"
    return render_template(
        "curves.html",
        answer=answer_curves(findings),
        figure=view_figure(plot_trial_curves(findings), alt, describe_shown(len(study.trials))),
        lines=describe_trial_curves(study),
        has_levels=bool(trivial_levels(study)),
        is_native=study.is_native,
        is_psnr=study.metric == PSNR,
    )


def render_cost_section(findings: Findings) -> Markup:
    """The metric against training time; empty with fewer than two measured trials of known time."""
    study, metric = findings.study, findings.study.metric
    trials = select_measured(study.trials)
    figure = plot_cost(findings)
    if figure is None:
        return Markup()
    return render_template(
        "cost.html",
        answer=answer_cost(findings, trials),
        figure=view_figure(
            figure,
            f"{metric.name} against seconds{' of training' if study.is_native else ''}",
            describe_shown(len(trials)),
        ),
        metric=metric,
        is_native=study.is_native,
        source=study.source,
    )


def render_combinations_section(findings: Findings) -> Markup:
    """Parallel coordinates; empty with fewer than two measured trials."""
    study = findings.study
    trials = select_combinations(study)
    if trials is None:
        return Markup()
    figure = plot_parallel_coordinates(trials, study.space.dimensions, study.metric)
    return render_template(
        "combinations.html",
        answer=answer_combinations(findings),
        figure=view_figure(
            figure, "Every trial as a line over all parameters", describe_shown(len(trials))
        ),
    )


def render_trials_section(findings: Findings) -> Markup:
    """The table of all trials with their renders, best first."""
    study = findings.study
    if not study.is_native:
        return _render_recorded_trials(study)
    heads, trials = _list_heads(study), study.trials
    if study.has_variants:
        heads["variant"], trials = "variant", label_variants(study)
    heads |= {effect.path: effect.label for effect in findings.effects} | _LAST_HEADS
    if trials["peak_memory"].isna().all():  # of an earlier version, say
        del heads["peak_memory"]
    ranked = _select_rows(findings, trials).sort_values("score", ascending=False)
    with_render = set(select_shown(ranked, MAX_RENDERS, MAX_RENDERS // 2)["trial_id"])
    views = [
        _view_trial(findings, row, list(heads), row["trial_id"] in with_render)
        for _, row in ranked.iterrows()
    ]
    return _render_table(study, list(heads.values()), views)


def _list_heads(study: Study) -> dict[str, str]:
    """The columns that every trial has, with their heads."""
    if study.is_nerf:
        of_plugins = [m for m in study.metrics if not m.is_cost and m.column not in _HEADS]
        return _HEADS | {metric.column: metric.title for metric in of_plugins}
    base = [name for name in _HEADS if name not in NERF_METRICS]
    ranked_by = tuple(metric.column for metric in study.metrics)
    others = TableSchema(study.space.parameters, ranked_by).trial_dtypes()
    known = {*others, "score", "outcome", "variant", "seed"}
    titles = {metric.column: metric.title for metric in study.metrics if not metric.is_cost}
    metrics = [*titles, *(c for c in study.trials.columns if c not in known)]
    return {name: _HEADS.get(name, name) for name in (*base, *metrics)} | titles


def _render_recorded_trials(study: Study) -> Markup:
    """The table of another tool's trials, best first: what was recorded of them."""
    order = select_shown(study.trials).sort_values("score", ascending=False).index
    table = tabulate_recorded_trials(study).loc[order]
    views = [
        TrialView(str(row["trial"]), str(row["state"]), "", [_view_cell(v) for v in row])
        for _, row in table.iterrows()
    ]
    return _render_table(study, list(table.columns), views)


def _render_table(study: Study, heads: Sequence[str], trials: Sequence[TrialView]) -> Markup:
    columns = zip(*(view.cells for view in trials), strict=True)
    return render_template(
        "trials.html",
        heads=heads,
        numeric=[any(c.is_number for c in cells) for cells in columns] or [False] * len(heads),
        trials=trials,
        is_native=study.is_native,
        images=sum(bool(view.image) for view in trials),
        max_renders=MAX_RENDERS if len(trials) > MAX_RENDERS else 0,
        shown=describe_shown(len(study.trials)),
        reran=has_thumbnails(study.folder),
    )


def _view_cell(value: object, decimals: int | None = None) -> CellView:
    """A value with its digits; an empty text for what was not recorded, which is sorted last."""
    if value is None or value is pd.NA or value != value:
        return CellView("", "", False)
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_)
    text = f"{value:.{decimals}f}" if decimals is not None else format_cell(value)
    return CellView(value, text, is_number)


def _select_rows(findings: Findings, trials: pd.DataFrame) -> pd.DataFrame:
    """The trials that are shown one by one, and those that a click elsewhere opens."""
    opened = [t["trial_id"] for t in (findings.best, findings.default) if t is not None]
    if findings.bounds is not None:
        opened += [cell.trial_id for row in findings.bounds.cells for cell in row if cell]
    shown = [*select_shown(trials)["trial_id"], *opened]
    return trials[trials["trial_id"].isin(shown)]


def _view_trial(
    findings: Findings, row: pd.Series, columns: Sequence[str], with_render: bool
) -> TrialView:
    trial_id = str(row["trial_id"])
    image = thumbnail(findings.study.folder.render(trial_id)) if with_render else ""
    decimals = _DECIMALS if findings.study.is_nerf else _DECIMALS_OF_ANY
    cells = {column: _view_cell(row[column], decimals.get(column)) for column in columns}
    cells["phase"] = CellView(row["phase"], phase_name(str(row["phase"])), False)
    outcome = str(row["outcome"])
    cells["outcome"] = CellView(outcome, outcome, False, _view_cell(row["reason"]).text)
    return TrialView(trial_id, outcome, image, list(cells.values()))
