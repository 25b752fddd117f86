"""Every figure of a study's report by name, with the caption that it has in a paper."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pandas as pd
import plotly.graph_objects as go

from analysis.data.metric import PSNR
from analysis.data.selection import select_measured
from analysis.data.shown_trials import describe_shown, select_shown
from analysis.data.study import Study
from analysis.figures.break_rates import plot_break_rates, plot_pair_break_rates
from analysis.figures.front import plot_front
from analysis.figures.importance_bars import plot_importance_bars, plot_top_bars
from analysis.figures.learning_curves import describe_lines, plot_learning_curves
from analysis.figures.near_far_map import plot_near_far_map
from analysis.figures.over_time import plot_importance_over_time, plot_rank_agreement
from analysis.figures.parallel_lines import plot_parallel_lines
from analysis.figures.parameter_effect import plot_parameter_effect, plot_parameter_pair
from analysis.figures.pareto_front import plot_pareto_front
from analysis.figures.seed_runs import plot_seed_runs
from analysis.figures.trial_markers import describe_markers
from analysis.figures.tuning_gains import plot_path_to_best, plot_tuning_gains
from analysis.figures.variance_parts import plot_variance_parts
from analysis.figures.variant_differences import plot_variant_differences
from analysis.findings.analyze_study import Findings
from analysis.findings.bounds_map import FAR, NEAR
from analysis.findings.pareto_front import select_pareto_front

_MIN_TRIALS = 2
"""Measured trials below which trials are not compared with one another."""

_SHOWN_IF_NONE_BREAKS = 2  # parameters of lowest p-value


@dataclass(frozen=True)
class StudyFigure:
    """A figure with its caption: what is drawn, of which trials, with which intervals.

    name: of its file, without suffix
    """

    name: str
    figure: go.Figure
    caption: str


def list_study_figures(findings: Findings) -> dict[str, StudyFigure]:
    """File name without suffix -> figure, in the order of the report."""
    named: dict[str, StudyFigure] = {}
    for figure in _list_all(findings):
        name = figure.name
        while name in named:  # of paths that differ only in characters that a file cannot have
            name += "_"
        named[name] = figure
    return named


def describe_trial_curves(study: Study) -> str:
    """What the lines of `plot_trial_curves` look like."""
    has_curve = study.trials["trial_id"].isin(study.curves["trial_id"])
    lines = describe_lines(study.trials.loc[has_curve, "outcome"])
    return f"{lines}; horizontal: trivial images" if trivial_levels(study) else lines


def trivial_levels(study: Study) -> dict[str, float]:
    """Name -> PSNR of trivial images, which have no level on an axis of another metric."""
    return study.trivial_psnrs if study.metric.column == PSNR.column else {}


def plot_trial_curves(findings: Findings) -> go.Figure:
    """The metric of every trial during training, the best and the default one emphasised."""
    study = findings.study
    outcomes = dict(zip(study.trials["trial_id"], study.trials["outcome"], strict=True))
    emphasised = (("defaults", findings.default), ("best", findings.best))
    highlighted = {str(trial["trial_id"]): name for name, trial in emphasised if trial is not None}
    shown = {*select_shown(study.trials)["trial_id"], *highlighted}
    return plot_learning_curves(
        study.curves[study.curves["trial_id"].isin(shown)],
        outcomes,
        highlighted,
        trivial_levels(study),
        study.metric,
    )


def plot_cost(findings: Findings) -> go.Figure | None:
    """The metric against seconds; None with fewer than two measured trials of known time.

    None, too, where the metric is the time.
    """
    study = findings.study
    if study.metric.column == "train_seconds":
        return None
    trials = select_measured(study.trials)
    trials = trials[trials["train_seconds"].notna()]
    if len(trials) < _MIN_TRIALS:
        return None
    return plot_pareto_front(trials, select_pareto_front(trials), study.metric)


def select_combinations(study: Study) -> pd.DataFrame | None:
    """The measured trials that have all parameters; None if they are fewer than two."""
    measured = select_measured(study.trials)
    # A trial of another tool that lacks a setting gets no line.
    trials = measured.dropna(subset=[dimension.path for dimension in study.space.dimensions])
    return trials if len(trials) >= _MIN_TRIALS else None


def _list_all(findings: Findings) -> Iterator[StudyFigure]:
    if findings.study.has_variants:  # which sample no space, so nothing follows from explored ones
        if (compared := findings.variants) is not None:
            yield StudyFigure(
                "variants",
                plot_variant_differences(compared.to_first, compared.first, metric=compared.metric),
                f"{compared.metric.name} of each variant minus that of {compared.first}: mean over "
                "the seeds that trained with both, with Student's 95 % interval.",
            )
    else:
        yield from _list_importance(findings)
        if findings.study.is_native:
            yield from _list_breaking(findings)
        yield from _list_effects(findings)
        yield from _list_tuning(findings)
    yield from _list_trials(findings)


def _list_importance(findings: Findings) -> Iterator[StudyFigure]:
    importance, metric, top = findings.importance, findings.study.metric, findings.ped_anova
    used = findings.comparable.sentence()
    if importance.shares:
        yield StudyFigure(
            "importance",
            plot_importance_bars(importance, metric.name),
            f"Part of the variance of {metric.name} by each parameter, alone and with its "
            f"interactions, with 95 % intervals. {used}",
        )
    if importance.parts:
        yield StudyFigure(
            "variance_parts",
            plot_variance_parts(importance, metric.name),
            f"Parts of the variance of {metric.name}, which add up to 100 %: each parameter alone, "
            f"all interactions, and what stays unexplained; 95 % intervals. {used}",
        )
    for plane in findings.pair_effects:
        yield StudyFigure(
            name_figure("pair", "_".join(plane.paths)),
            plot_parameter_pair(plane, metric),
            f"Mean {metric.name} over {plane.labels[0]} and {plane.labels[1]}, all other "
            "parameters varying.",
        )
    for branch in findings.branches:
        if (of_branch := branch.findings.importance).ranked:
            yield StudyFigure(
                name_figure("importance", of_branch.shares[0].path),
                plot_importance_bars(of_branch, metric.name),
                f"Part of the variance of {metric.name} by each parameter that only some trials "
                f"have, among these; 95 % intervals. {branch.findings.comparable.sentence()}",
            )
    if top.shares:
        yield StudyFigure(
            "reaching_top",
            plot_top_bars(top),
            f"What sets the best {top.top_count} of {top.trials} trials apart: each parameter's "
            "share of the divergence from the prior (PED-ANOVA), with 95 % intervals; an estimate "
            "left of the chance line is not significant.",
        )


def _list_breaking(findings: Findings) -> Iterator[StudyFigure]:
    breaking, study = findings.breaking, findings.study
    shown = breaking.significant_parameters
    if breaking.ranked and not shown:
        shown = breaking.parameters[:_SHOWN_IF_NONE_BREAKS]
    for parameter in shown:
        yield StudyFigure(
            name_figure("breaks", parameter.path),
            plot_break_rates(parameter),
            f"Explored runs that break (collapse or show nothing) by {parameter.label}: rates, "
            "with intervals that hold at once for all levels of all parameters in 95 % of studies "
            f"(Fisher's exact test: p = {parameter.p_value:.2g}, corrected).",
        )
    for pair in breaking.significant_pairs:
        yield StudyFigure(
            name_figure("breaks_pair", "_".join(pair.paths)),
            plot_pair_break_rates(pair),
            f"Explored runs that break, of all with these values of {pair.labels[0]} and "
            f"{pair.labels[1]}; darker cells: higher rates (p = {pair.p_value:.2g}, corrected).",
        )
    if findings.bounds is not None:
        bounds, trials = study.space.bounds, select_measured(study.trials)
        yield StudyFigure(
            "near_far",
            plot_near_far_map(trials, NEAR, FAR, bounds),
            "PSNR of each trial at its near and far bounds; the other parameters vary as well. "
            f"Markers: {describe_markers(trials)}."
            f"{' Dotted lines: where the object lies.' if bounds else ''}",
        )


def _list_effects(findings: Findings) -> Iterator[StudyFigure]:
    metric = findings.study.metric
    markers = describe_markers(select_measured(findings.study.trials))
    for effect in findings.effects:
        sentences = [f"{metric.name} of each trial against {effect.label}: {markers}."]
        if effect.curve is not None:
            sentences.append(
                "Dash: mean over all else, with its 95 % interval."
                if effect.choices
                else "Line: mean over all else, with its 95 % band; faint lines: single "
                "configurations."
            )
        yield StudyFigure(
            name_figure("effect", effect.path),
            plot_parameter_effect(effect, metric),
            " ".join(sentences),
        )


def _list_tuning(findings: Findings) -> Iterator[StudyFigure]:
    tuning, spread, both = findings.tunability, findings.seeds.spread, findings.best_and_default
    metric = findings.study.metric
    if both is not None and both.default.scores:
        yield StudyFigure(
            "best_and_default",
            plot_seed_runs(both, metric),
            f"{metric.name} of the runs of the {both.choice} configuration and of the default one "
            f"that trained; the star is the run for which the {both.choice} was chosen, which does "
            "not count.",
        )
    if tuning is None:
        return
    yield StudyFigure(
        "tuning_gains",
        plot_tuning_gains(tuning, spread, metric),
        "Predicted gain over the defaults of tuning each parameter alone and all together, with "
        f"95 % intervals{'; grey: standard deviation between seeds' if spread else ''}.",
    )
    if len(tuning.path) > 1:
        yield StudyFigure(
            "path_to_best",
            plot_path_to_best(tuning, spread, metric),
            f"{metric.name} from the defaults to the best trial, one parameter at a time: "
            "predicted, with 95 % intervals, and measured (stars).",
        )


def _list_trials(findings: Findings) -> Iterator[StudyFigure]:
    study, metric = findings.study, findings.study.metric
    if not study.curves.empty:
        yield StudyFigure(
            "curves",
            plot_trial_curves(findings),
            f"{metric.name} of each trial during training; {describe_trial_curves(study)}. "
            f"{describe_shown(len(study.trials))}".rstrip(),
        )
        yield from _list_over_time(findings)
    yield from _list_metrics(findings)
    if (cost := plot_cost(findings)) is not None:
        caption = f"{metric.name} of each trial against its training time, with the Pareto front."
        shown = describe_shown(len(select_measured(study.trials)))
        yield StudyFigure("cost", cost, f"{caption} {shown}".rstrip())
    if not study.has_variants and (trials := select_combinations(study)) is not None:
        yield StudyFigure(
            "combinations",
            plot_parallel_lines(trials, study.space.dimensions, metric),
            f"Every trial as a line over all parameters; coloured: the best quarter by "
            f"{metric.name}. {describe_shown(len(trials))}".rstrip(),
        )


def _list_metrics(findings: Findings) -> Iterator[StudyFigure]:
    """The front of a study of several metrics, and shares and effects by each further metric."""
    if findings.front is None:
        return
    for y, x in itertools.combinations(findings.front.metrics, 2):
        yield StudyFigure(
            name_figure("front", f"{y.column}_{x.column}"),
            plot_front(findings.front, x, y),
            f"{y.name} of each run that trained against its {x.name}; ringed: on the Pareto front; "
            "starred: the most balanced run.",
        )
    for other in findings.other_metrics:
        for figure in (*_list_importance(other), *_list_effects(other)):
            yield replace(figure, name=name_figure(other.study.metric.column, figure.name))


def _list_over_time(findings: Findings) -> Iterator[StudyFigure]:
    over, metric = findings.over_time, findings.study.metric
    if findings.study.has_variants or over.refusal:
        return
    yield StudyFigure(
        "rank_agreement",
        plot_rank_agreement(over, metric),
        f"Rank correlation of {metric.name} at each step with the final one; 95 % intervals.",
    )
    if findings.importance.ranked:
        yield StudyFigure(
            "importance_over_time",
            plot_importance_over_time(over, metric),
            f"Shares of the variance of {metric.name}, with interactions, during training; "
            "95 % intervals.",
        )


def name_figure(kind: str, path: str) -> str:
    """A file name; paths of other tools may contain slashes and the like."""
    return f"{kind}_" + re.sub(r"[^\w.+-]", "_", path)
