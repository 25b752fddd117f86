"""Reads another tool's sweep as a study: `read_external_study`."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from analysis.data.metric import Metric
from analysis.data.outcomes import add_recorded_outcomes
from analysis.data.selection import select_finished
from analysis.data.study import Study
from analysis.external.choose_metric import choose_metric
from analysis.external.choose_sweep import choose_sweep
from analysis.external.frames import final_value, make_curves, make_trials
from analysis.external.identify import read_sweeps
from analysis.external.question import Question
from analysis.external.settings import choose_settings
from analysis.external.sweep import ExternalTrial, Sweep
from nerf.common.errors import InputError
from study.records.study_folder import StudyFolder
from study.spec.space import Dimension, Space


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
    settings = choose_settings(sweep, [trial for trial in ended if trial.settings], question)
    if not settings.names:
        reasons = "; ".join(settings.left_out) or "no trial has a setting"
        raise InputError(f"{sweep.name} varies no parameter that can be analysed ({reasons})")
    assumed = [*about_metric, *settings.assumed]
    left_out = [*sweep.left_out, *settings.left_out]
    if len(ended) < len(sweep.trials):
        left_out.append(f"{len(sweep.trials) - len(ended)} trials that have not ended")

    def build(dimensions: dict[str, Dimension]) -> tuple[Study, list[str]]:
        kept, reasons = select_within(ended, dimensions)
        trials = add_recorded_outcomes(make_trials(kept, metric, dimensions))
        study = Study(
            folder=StudyFolder(path.parent / _report_name(path, sweep, question)),
            name=path.name if question.study is None else f"{path.name}: {sweep.name}",
            created="",
            scene={},
            spec={},
            versions={},
            command=(),
            space=Space(tuple(dimensions.values())),
            trials=trials,
            curves=make_curves(kept, metric),
            metric=metric,
            source=sweep.tool,
            assumed=tuple(assumed),
            left_out=(*left_out, *reasons),
        )
        return study, reasons

    study, _ = build(settings.names)
    if select_finished(study.trials).empty:
        raise InputError(
            f"no trial of {sweep.name} has {metric.name} and all of its parameters "
            f"({'; '.join(study.left_out)}); leave parameters out by --ignore"
        )
    offset = len(about_metric)
    others = {
        offset + domain.place: build({**settings.names, domain.chosen.label: domain.other})[0]
        for domain in settings.open_domains
    }
    return ExternalStudy(study, others)


def assign_roles(sweep: Sweep, metric: Metric, question: Question) -> Sweep:
    """The sweep with what `--parameters` names as settings, and its metric not among them."""

    def assign(trial: ExternalTrial) -> ExternalTrial:
        promoted = {n: v for n, v in trial.metrics.items() if n in question.parameters}
        settings = {**trial.settings, **promoted}
        settings.pop(metric.name, None)
        return replace(trial, settings=settings)

    return replace(sweep, trials=tuple(map(assign, sweep.trials)))


def select_within(
    trials: Sequence[ExternalTrial], dimensions: dict[str, Dimension]
) -> tuple[list[ExternalTrial], list[str]]:
    """The trials that have a place in the space, and how many of the others lack what.

    Trials that did not complete stay: they count, but nothing is estimated from their settings.
    """
    kept, lacking, outside = [], 0, 0
    for trial in trials:
        has_all = all(name in trial.settings for name in dimensions)
        if trial.state == "failed" or not trial.settings:
            kept.append(trial)
        elif not has_all:
            lacking += 1
        elif not all(_contains(d, trial.settings[name]) for name, d in dimensions.items()):
            outside += 1
        else:
            kept.append(trial)
    reasons = []
    if lacking:
        reasons.append(f"{lacking} trials without a value of some parameter")
    if outside:
        reasons.append(f"{outside} trials outside the range of --prior")
    return kept, reasons


def _contains(dimension: Dimension, value: object) -> bool:
    if dimension.choices:
        return value in dimension.choices or str(value) in dimension.choices
    return dimension.contains(value)  # type: ignore[arg-type]


def _report_name(path: Path, sweep: Sweep, question: Question) -> str:
    """The folder of a report: of each file, and of each study in a file, another one."""
    study = f"-{re.sub(r'[^A-Za-z0-9._-]+', '_', sweep.name)}" if question.study else ""
    return f"{path.name}{study}-report"
