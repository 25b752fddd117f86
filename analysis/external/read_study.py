"""Reads another tool's sweep as a study: `read_external_study`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from analysis.data.assumption import Assumption
from analysis.data.metric import Metric
from analysis.data.study import Study
from analysis.external.assign_columns import assign_columns
from analysis.external.choose_metric import choose_metric, is_open_direction
from analysis.external.choose_sweep import choose_sweep
from analysis.external.identify import read_sweeps
from analysis.external.limit_trials import limit_trials
from analysis.external.make_study import make_study
from analysis.external.objectives import find_other_objectives
from analysis.external.open_columns import list_unknown
from analysis.external.question import Question
from analysis.external.sweep import Column, Sweep
from nerf.common.errors import InputError

_MAX_OTHER_READINGS = 8
"""Domains whose other reading is analysed as well; each takes as long as the analysis itself."""


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
            or a table (CSV, TSV, Parquet, JSON, Excel) with a row for each run.
        question: decides what the record leaves open; the rest is assumed, see `Study.assumed`.

    Raises:
        InputError: the file cannot be read, holds several studies or metrics of which none was
            chosen, or no completed trial with the metric.

    Example:
        >>> external = read_external_study(Path("optuna.db"), Question(study="lr-search"))
        >>> findings = analyze_study(external.study)
    """
    question = question or Question()
    recorded = choose_sweep(path, read_sweeps(path), question.study)
    metric, about_metric = choose_metric(recorded, question)
    if metric.name in question.parameters:
        raise InputError(
            f"--parameters names {metric.name}, the metric; choose another by --metric"
        )
    recorded, about_size = limit_trials(recorded, metric)
    sweep = assign_columns(recorded, question.parameters, (metric.name,))
    doubtful = find_doubtful(recorded, metric, question)
    assumed = [*about_size, *about_metric, *describe_columns(recorded, metric, question)]
    made = make_study(path, sweep, metric, question, assumed)
    made = replace(made, study=_add_other_best(made.study))
    others: dict[int, tuple[Sweep, Question]] = {}
    if doubtful:
        swapped = swap_columns(recorded, doubtful, metric, question)
        others[len(assumed) - 1] = (swapped, question)
    for domain in made.open_domains[:_MAX_OTHER_READINGS]:
        prior = replace(domain.other, path=domain.name)
        others[domain.place] = (sweep, replace(question, priors=(*question.priors, prior)))
    studies = {
        place: study
        for place, (other, otherwise) in others.items()
        if (study := _try_to_make(path, other, metric, otherwise)) is not None
    }
    # A reading that leaves no parameter or no trial is compared in words alone.
    assumed = list(made.study.assumed)
    for place in others.keys() - studies.keys():
        effect = "THE HEADLINE CHANGES: read the other way, nothing is left to analyse"
        assumed[place] = replace(assumed[place], effect=effect)
    for domain in made.open_domains[_MAX_OTHER_READINGS:]:
        effect = f"not read the other way, since {len(made.open_domains)} domains are open"
        assumed[domain.place] = replace(assumed[domain.place], effect=effect)
    objectives = find_other_objectives(recorded, metric)
    study = replace(made.study, assumed=tuple(assumed), other_objectives=objectives)
    return ExternalStudy(study, studies)


def _add_other_best(study: Study) -> Study:
    """The study with what a guessed direction decides: which trial is the best one."""
    completed = study.trials[study.trials["state"] == "completed"]
    scores = completed["score"][np.isfinite(completed["score"])]
    if scores.nunique() < 2:
        return study
    worst = completed.loc[scores.idxmin()]
    value = study.metric.values(float(worst["score"]))
    effect = (
        f"THE HEADLINE CHANGES: read the other way, the best {study.metric.name} is {value:.4g} "
        f"(trial {worst['trial_id']})"
    )
    assumed = tuple(replace(a, effect=effect) if is_open_direction(a) else a for a in study.assumed)
    return replace(study, assumed=assumed)


def _try_to_make(path: Path, sweep: Sweep, metric: Metric, question: Question) -> Study | None:
    """The study, or None if this reading leaves nothing to analyse."""
    try:
        return make_study(path, sweep, metric, question, ()).study
    except InputError:
        return None


def describe_columns(sweep: Sweep, metric: Metric, question: Question) -> list[Assumption]:
    """How a table was read, and which columns were taken for outcomes; the doubtful ones last."""
    decided = {metric.name, *question.parameters}
    outcomes = [
        c.name
        for c in sweep.columns
        if c.role == "outcome" and not c.doubtful and c.name not in decided
    ]
    assumed = [Assumption("; ".join(sweep.notes))] if sweep.notes else []
    if outcomes:
        text = f"outcomes of a run, not settings: {', '.join(outcomes)}"
        assumed.append(Assumption(text, "--parameters A,B"))
    unknown = [name for name in list_unknown(sweep.columns) if name not in decided]
    if unknown and not question.parameters:
        text = f"settings, since their names are of no known metric: {', '.join(unknown)}"
        assumed.append(Assumption(text, "--ignore A,B"))
    if doubtful := find_doubtful(sweep, metric, question):
        listed = ", ".join(f"{c.name} (read as {_noun(c)}, {c.reason})" for c in doubtful)
        assumed.append(Assumption(f"could be either: {listed}", "--parameters or --ignore"))
    return assumed


def find_doubtful(sweep: Sweep, metric: Metric, question: Question) -> list[Column]:
    """The columns whose role neither the table nor the question decides."""
    if question.parameters:  # all others are left out
        return []
    decided = {metric.name, *question.ignored}
    return [c for c in sweep.columns if c.doubtful and c.name not in decided]


def swap_columns(sweep: Sweep, columns: list[Column], metric: Metric, question: Question) -> Sweep:
    """The sweep with these columns in their other role."""
    settings = [c.name for c in columns if c.role == "outcome"]
    outcomes = [c.name for c in columns if c.role == "setting"]
    return assign_columns(sweep, (*question.parameters, *settings), (metric.name, *outcomes))


def _noun(column: Column) -> str:
    return "an outcome" if column.role == "outcome" else "a setting"
