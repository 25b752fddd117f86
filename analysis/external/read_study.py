"""Reads another tool's sweep as a study: `read_external_study`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from analysis.data.design import Branch
from analysis.data.metric import Metric
from analysis.data.outcomes import add_recorded_outcomes
from analysis.data.study import Study
from analysis.external.branches import find_branches
from analysis.external.choose_metric import choose_metric
from analysis.external.choose_sweep import choose_sweep
from analysis.external.counts import count
from analysis.external.design import add_design
from analysis.external.frames import final_value, make_curves, make_trials
from analysis.external.identify import read_sweeps
from analysis.external.question import Question
from analysis.external.settings import Settings, choose_settings
from analysis.external.sweep import ExternalTrial, Sweep
from nerf.common.errors import InputError
from study.records.study_folder import StudyFolder
from study.spec.space import Dimension, Space

_MAX_MISSING = 0.2  # of the trials: a parameter that more of them lack is left out, else the trials


@dataclass(frozen=True)
class ExternalStudy:
    """Another tool's sweep as a study.

    other_readings: place in `study.assumed` -> the study under the other reading of what the record
    leaves open there
    """

    study: Study
    other_readings: dict[int, Study]


def read_external_study(path: Path, question: Question | None = None) -> ExternalStudy:
    """The sweep in a file or folder of another tool.

    Args:
        path: an Optuna SQLite or journal file, a Ray Tune or MLflow folder, an MLflow SQLite file,
            or a table (CSV, TSV, Parquet, JSON) with a row for each run.
        question: decides what the record leaves open; the rest is assumed, see `Study.assumed`.

    Raises:
        InputError: the file cannot be read, holds several studies or metrics of which none was
            chosen, or no ended trial with the metric.

    Example:
        >>> external = read_external_study(Path("optuna.db"), Question(study="lr-search"))
        >>> findings = analyze_study(external.study)
    """
    question = question or Question()
    sweep = choose_sweep(path, read_sweeps(path), question.study)
    metric, about_metric = choose_metric(sweep, question)
    sweep = assign_roles(sweep, metric, question)
    ended = [trial for trial in sweep.trials if trial.state != "running"]
    if not any(math.isfinite(final_value(trial, metric)) for trial in ended):
        raise InputError(
            f"{sweep.name} holds no ended trial with a value of {metric.name}; choose another "
            "metric by --metric"
        )
    # Trials that failed before their first setting say nothing about which settings there are.
    informative = [trial for trial in ended if trial.settings]
    settings = choose_settings(sweep, informative, question)
    parts = divide(informative, settings)
    if not parts.shared:
        reasons = "; ".join((*settings.left_out, *parts.left_out)) or "no trial has a setting"
        raise InputError(f"{sweep.name} varies no parameter that can be analysed ({reasons})")
    left_out = [*sweep.left_out, *settings.left_out, *parts.left_out]
    if running := len(sweep.trials) - len(ended):
        left_out.append(f"{count(running, 'trial')} not ended")

    def build(shared: Mapping[str, Dimension]) -> Study:
        kept, reasons = select_within(ended, shared)
        every = {**shared, **parts.own}
        study = Study(
            folder=StudyFolder(path.parent / _report_name(path, sweep, question)),
            name=path.name if question.study is None else f"{path.name}: {sweep.name}",
            created="",
            scene={},
            spec={},
            versions={},
            command=(),
            space=Space(tuple(shared.values())),
            trials=add_recorded_outcomes(make_trials(kept, metric, every)),
            curves=make_curves(kept, metric),
            metric=metric,
            source=sweep.tool,
            assumed=(*about_metric, *settings.assumed),
            left_out=(*left_out, *reasons),
            branches=parts.branches,
        )
        return add_design(study, sweep.sampler, settings.ranges_changed)

    study = build(parts.shared)
    if not (study.trials["state"] == "completed").any():
        raise InputError(
            f"no trial of {sweep.name} has a value of {metric.name} and of all parameters "
            f"({'; '.join(study.left_out)}); leave parameters out by --ignore"
        )
    return ExternalStudy(
        study,
        {
            len(about_metric) + domain.place: build({**parts.shared, domain.name: domain.other})
            for domain in settings.open_domains
            if domain.name in parts.shared
        },
    )


@dataclass(frozen=True)
class Parts:
    """The parameters that all analysed trials have, and those of branches.

    shared, own: setting -> dimension
    """

    shared: dict[str, Dimension]
    own: dict[str, Dimension]
    branches: tuple[Branch, ...]
    left_out: tuple[str, ...]


def divide(trials: Sequence[ExternalTrial], settings: Settings) -> Parts:
    """Divides the parameters into shared ones and those of branches.

    A parameter that some trials lack for no visible reason is left out, or, where they are few,
    these trials are.
    """
    lacking = {n: sum(n not in t.settings for t in trials) for n in settings.dimensions}
    whole = {n: d for n, d in settings.dimensions.items() if not lacking[n]}
    partial = {n: d for n, d in settings.dimensions.items() if lacking[n]}
    branches = find_branches(trials, whole, partial) if partial else ()
    paths = {dimension.path for branch in branches for dimension in branch.dimensions}
    own = {n: d for n, d in partial.items() if d.path in paths}
    few = {n for n in partial if n not in own and lacking[n] <= _MAX_MISSING * len(trials)}
    left_out = tuple(
        f"{name}: {lacking[name]} of {len(trials)} trials lack it"
        for name in partial
        if name not in own and name not in few
    )
    shared = {n: d for n, d in settings.dimensions.items() if not lacking[n] or n in few}
    return Parts(shared, own, branches, left_out)


def assign_roles(sweep: Sweep, metric: Metric, question: Question) -> Sweep:
    """The sweep with what `--parameters` names as settings, and its metric not among them."""

    def assign(trial: ExternalTrial) -> ExternalTrial:
        promoted = {n: v for n, v in trial.metrics.items() if n in question.parameters}
        settings = {**trial.settings, **promoted}
        settings.pop(metric.name, None)
        return replace(trial, settings=settings)

    return replace(sweep, trials=tuple(map(assign, sweep.trials)))


def select_within(
    trials: Sequence[ExternalTrial], dimensions: Mapping[str, Dimension]
) -> tuple[list[ExternalTrial], list[str]]:
    """The trials that have a place in the space, and how many of the others lack what.

    Failed trials stay: they count, but nothing is estimated from their settings.
    """
    kept, lacking, outside = [], 0, 0
    for trial in trials:
        if trial.state == "failed":
            kept.append(trial)
        elif any(name not in trial.settings for name in dimensions):
            lacking += 1
        elif not all(_contains(d, trial.settings[name]) for name, d in dimensions.items()):
            outside += 1
        else:
            kept.append(trial)
    reasons = []
    if lacking:
        reasons.append(f"{count(lacking, 'trial')} without a value of some parameter")
    if outside:
        reasons.append(f"{count(outside, 'trial')} outside the range of --prior")
    return kept, reasons


def _contains(dimension: Dimension, value: object) -> bool:
    if dimension.choices:
        return value in dimension.choices or str(value) in dimension.choices
    return dimension.contains(value)  # type: ignore[arg-type]


def _report_name(path: Path, sweep: Sweep, question: Question) -> str:
    """The folder of a report: of each file, and of each study in a file, another one."""
    study = f"-{re.sub(r'[^A-Za-z0-9._-]+', '_', sweep.name)}" if question.study else ""
    return f"{path.name}{study}-report"
