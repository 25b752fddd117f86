"""Makes a study of one sweep, as a question reads it."""

from __future__ import annotations

import math
import os
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.data.assumption import Assumption
from analysis.data.metric import Metric
from analysis.data.outcomes import add_recorded_outcomes
from analysis.data.study import Study
from analysis.external.copies import merge_copies
from analysis.external.counts import count
from analysis.external.design import add_design
from analysis.external.divide_settings import divide_settings, select_within
from analysis.external.frames import final_value, make_curves, make_trials
from analysis.external.proposals import Proposals
from analysis.external.question import Question
from analysis.external.repeats import find_seeds, merge_repeats
from analysis.external.settings import OpenDomain, choose_settings
from analysis.external.sweep import Sweep
from nerf.common.errors import InputError
from study.records.study_folder import StudyFolder
from study.spec.space import Space

_MAX_REASONS = 8


@dataclass(frozen=True)
class MadeStudy:
    """A study, and the domains in it that could be read another way.

    open_domains: places count from the first assumption of `Study.assumed`
    """

    study: Study
    open_domains: tuple[OpenDomain, ...]


def make_study(
    path: Path, sweep: Sweep, metric: Metric, question: Question, assumed: Sequence[Assumption]
) -> MadeStudy:
    """The study of a sweep whose columns have their roles.

    assumed: what was assumed so far, of the metric and the columns

    Raises `InputError` if no trial or no parameter is left to analyse.
    """
    sweep, about_repeats = merge_repeats(sweep, metric, question)
    assumed = (*assumed, *about_repeats)
    ended = [trial for trial in sweep.trials if trial.state != "running"]
    completed = [trial for trial in ended if trial.state == "completed"]
    if not any(math.isfinite(final_value(trial, metric)) for trial in completed):
        raise _no_result(sweep, metric)
    # Trials that failed before their first setting say nothing about which settings there are.
    informative = [trial for trial in ended if trial.settings]
    seeds = find_seeds(informative, question)
    settings = choose_settings(sweep, informative, question, seeds)
    parts = divide_settings(informative, settings)
    if not parts.shared:
        raise _no_parameter(sweep, question, (*settings.left_out, *parts.left_out))
    trials, reasons_of_trials = select_within(ended, parts.shared)
    shared, about_copies = merge_copies(
        parts.shared, [trial for trial in trials if trial.state == "completed"]
    )
    left_out = [*sweep.left_out, *settings.left_out, *parts.left_out, *reasons_of_trials]
    if running := len(sweep.trials) - len(ended):
        left_out.append(f"{count(running, 'trial')} not ended")
    if not any(trial.state == "completed" for trial in trials):
        raise InputError(
            f"no trial of {sweep.name} has a value of {metric.name} and of all parameters "
            f"({'; '.join(left_out)}); leave parameters out by --ignore"
        )
    study = Study(
        folder=StudyFolder(path.parent / _report_name(path, sweep, question)),
        name=_printable(_name(path)) + (f": {sweep.name}" if question.study is not None else ""),
        created="",
        scene={},
        spec={},
        versions={},
        command=(),
        space=Space(tuple(shared.values())),
        trials=add_recorded_outcomes(make_trials(trials, metric, {**shared, **parts.own}).copy()),
        curves=make_curves(trials, metric),
        metric=metric,
        source=sweep.tool,
        assumed=(*assumed, *settings.assumed, *about_copies),
        left_out=tuple(left_out),
        branches=parts.branches,
    )
    return MadeStudy(
        add_design(study, Proposals(sweep.sampler, settings.ranges_changed, sweep.enqueued)),
        tuple(d.after(len(assumed)) for d in settings.open_domains if d.name in shared),
    )


def _no_result(sweep: Sweep, metric: Metric) -> InputError:
    """The error for a sweep without a completed trial that has the metric."""
    states = Counter("not ended" if t.state == "running" else t.state for t in sweep.trials)
    if states["completed"]:
        return InputError(
            f"{sweep.name} holds no completed trial with a value of {metric.name}; choose another "
            "metric by --metric"
        )
    counts = ", ".join(f"{number} {state}" for state, number in states.items()) or "it has none"
    return InputError(
        f"{sweep.name} has no completed trial ({counts}); report on it when some have completed"
    )


def _no_parameter(sweep: Sweep, question: Question, left_out: Sequence[str]) -> InputError:
    """The error for a sweep that leaves no parameter, with what became of each."""
    decided = {*question.parameters, *question.ignored}
    reasons = [f"{name}: left out by --ignore" for name in question.ignored]
    reasons += left_out
    reasons += [
        f"{c.name}: {c.reason}"
        for c in sweep.columns
        if c.role == "other" and c.name not in decided
    ]
    listed = "; ".join(reasons[:_MAX_REASONS]) or "no trial has a setting"
    more = f"; and {len(reasons) - _MAX_REASONS} more" if len(reasons) > _MAX_REASONS else ""
    remedy = "; name others by --parameters" if sweep.columns else ""
    return InputError(
        f"{sweep.name} varies no parameter that can be analysed ({listed}{more}){remedy}"
    )


def _name(path: Path) -> str:
    return path.name or "root"


def _printable(name: str) -> str:
    """A file's name as text, also where its bytes are none in the encoding of the locale."""
    return os.fsencode(name).decode(errors="replace")


def _report_name(path: Path, sweep: Sweep, question: Question) -> str:
    """The folder of a report: another one for each file, study in a file, and chosen metric."""
    parts = [sweep.name] if question.study is not None else []
    parts += [question.metric] if question.metric is not None else []
    return "-".join([_name(path), *map(_spell_in_file_name, parts), "report"])


def _spell_in_file_name(name: str) -> str:
    """The name in letters that any file may have; with a checksum where it had others."""
    spelt = re.sub(r"[^A-Za-z0-9._-]+", "_", name)
    return spelt if spelt == name else f"{spelt}-{zlib.crc32(os.fsencode(name)):08x}"
