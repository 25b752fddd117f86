"""Ray Tune's results folders, read from their JSON, CSV and text files; no pickle is opened.

`basic-variant-state-*.json` and `search_gen_state-*.json` are pickles in spite of their names: that
they exist shows which search proposed the trials. The search space, the scheduler and the mode
(min or max) are in pickles alone, so no domain and no direction come back.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from analysis.external.counts import count
from analysis.external.ray_folders import FoundFolders
from analysis.external.ray_state import TrialEntry, read_state_file, recognise_search
from analysis.external.ray_trial import (
    TrialRecord,
    flatten,
    number,
    read_trial,
)
from analysis.external.sweep import ExternalTrial, Objective, Setting, State, Sweep

_BUDGETS = frozenset(
    [
        "budget",
        "epochs",
        "epoch",
        "iterations",
        "max_epochs",
        "max_iter",
        "max_iterations",
        "max_steps",
        "max_t",
        "n_epochs",
        "n_estimators",
        "n_iter",
        "num_boost_round",
        "num_epochs",
        "num_iterations",
        "num_steps",
        "rounds",
        "steps",
        "training_iteration",
    ]
)
"""Names of settings that set a trial's own number of reports."""

_MAX_TEXTS = 20  # more different lists of one setting are no choice among a few
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def read_ray_results(path: Path, found: FoundFolders) -> tuple[Sweep, ...]:
    """Reads each experiment in a results folder, one sweep for each folder that holds trials.

    A trial that ended after fewer steps than the longest one comes back as pruned, unless its
    stopping criterion or a setting such as `epochs` asked for no more.

    Args:
        path: the results folder.
        found: the folders of trials in it.

    Raises:
        InputError: a file cannot be opened.
    """
    experiments = defaultdict(list)
    for folder in found.trials:
        experiments[folder if folder == path else folder.parent].append(folder)
    return tuple(
        _read_experiment(path, experiment, sorted(folders), found.list_left_out())
        for experiment, folders in sorted(experiments.items())
    )


def _read_experiment(
    path: Path, experiment: Path, folders: Sequence[Path], not_searched: Sequence[str]
) -> Sweep:
    records = [read_trial(folder) for folder in folders]
    metric, entries, left_out = read_state_file(experiment)
    by_folder = {r.folder.name: entries.pop(r.folder.name, TrialEntry()) for r in records}
    started = {r.folder.name: by_folder[r.folder.name].started or r.started for r in records}
    records.sort(key=lambda r: (started[r.folder.name] or math.inf, r.folder.name))
    configs = [r.config for r in records] + [flatten(e.settings) for e in entries.values()]
    settings, objects = _make_settings(configs)
    budget = max((r.steps for r in records), default=0)
    trials = [
        _make_trial(record, by_folder[record.folder.name], values, budget)
        for record, values in zip(records, settings, strict=False)
    ]
    trials += [
        _make_trial_without_folder(entry, values)
        for entry, values in zip(entries.values(), settings[len(records) :], strict=True)
    ]
    name = experiment.relative_to(path).as_posix()
    return Sweep(
        tool="Ray Tune",
        name=path.resolve().name if name == "." else name,
        trials=_with_unique_names(trials, records),
        objectives=(Objective(metric),) if metric else (),
        sampler=recognise_search(experiment, [t.settings for t in trials]),
        left_out=(*left_out, *objects, *_describe_damage(records), *not_searched),
    )


def _make_settings(
    configs: Sequence[Mapping[str, Any]],
) -> tuple[list[dict[str, Setting]], list[str]]:
    """Each trial's settings; with a sentence on those that the record does not show.

    A list becomes text, if few lists were tried. An object was recorded as text with its address in
    memory, which is cut off: what remains may tell choices apart, such as functions by their names.
    """
    texts: dict[str, set[str]] = defaultdict(set)
    objects: dict[str, set[str]] = defaultdict(set)
    settings: list[dict[str, Setting]] = []
    for config in configs:
        values: dict[str, Setting] = {}
        for name, value in config.items():
            if isinstance(value, str) and _ADDRESS.search(value):
                values[name] = _ADDRESS.sub("", value)
                objects[name].add(str(values[name]))
            elif value is None or isinstance(value, str | bool | int | float):
                values[name] = value
            else:
                values[name] = json.dumps(value)
                texts[name].add(str(values[name]))
        settings.append(values)
    hidden = sorted(name for name, seen in objects.items() if len(seen) == 1)
    many = sorted(name for name, seen in texts.items() if len(seen) > _MAX_TEXTS)
    for values in settings:
        for name in {*hidden, *many} & values.keys():
            del values[name]
    left_out = []
    if hidden:
        left_out.append(f"{', '.join(hidden)}: recorded as an object, without its value")
    if many:
        left_out.append(f"{', '.join(many)}: more than {_MAX_TEXTS} different lists")
    return settings, left_out


def _make_trial(
    record: TrialRecord, entry: TrialEntry, settings: Mapping[str, Setting], budget: int
) -> ExternalTrial:
    state, reason = _decide_state(record, entry, settings, budget)
    return ExternalTrial(
        name=str(record.last.get("trial_id") or entry.trial_id or record.folder.name),
        state=state,
        settings=settings,
        metrics=record.metrics,
        curves=record.curves,
        seconds=record.seconds,
        reason=reason,
    )


def _decide_state(
    record: TrialRecord, entry: TrialEntry, settings: Mapping[str, Setting], budget: int
) -> tuple[State, str]:
    """How a trial ended, and why.

    An error file beside the status TERMINATED is of an attempt before the one that succeeded.
    """
    if entry.status == "ERROR" or (not entry.status and record.error is not None):
        return "failed", record.error or "status ERROR"
    ended = bool(record.last) and (record.last.get("done", True) is True or record.steps >= budget)
    if entry.status != "TERMINATED" and (entry.status or not ended):
        return "running", f"status {entry.status}" if entry.status else "its record does not end"
    if not record.steps:
        return "completed", "ended without a report"
    if record.steps >= budget or _reached_own_budget(record, entry.stop, settings):
        return "completed", ""
    return "pruned", f"stopped at step {record.steps} of {budget}"


def _reached_own_budget(
    record: TrialRecord, stop: Mapping[str, Any], settings: Mapping[str, Setting]
) -> bool:
    """Whether a trial that is shorter than others was to be no longer."""
    criteria = [number(record.last.get(name)) >= number(v) for name, v in flatten(stop).items()]
    own = [number(v) for name, v in settings.items() if name.rsplit("/", 1)[-1] in _BUDGETS]
    return any(criteria) or any(1 <= steps <= record.steps for steps in own)


def _make_trial_without_folder(entry: TrialEntry, settings: Mapping[str, Setting]) -> ExternalTrial:
    """A trial of the state file alone: it waits, or failed before it had a folder."""
    state: State = "failed" if entry.status == "ERROR" else "running"
    return ExternalTrial(entry.trial_id, state, settings, reason=f"status {entry.status}")


def _with_unique_names(
    trials: Sequence[ExternalTrial], records: Sequence[TrialRecord]
) -> tuple[ExternalTrial, ...]:
    """The trials; named after their folders where two have the same id."""
    counts = Counter(trial.name for trial in trials)
    folders = [record.folder.name for record in records]
    folders += [trial.name for trial in trials[len(folders) :]]
    return tuple(
        trial if counts[trial.name] == 1 else replace(trial, name=folder)
        for trial, folder in zip(trials, folders, strict=True)
    )


def _describe_damage(records: Sequence[TrialRecord]) -> list[str]:
    sentences = []
    if torn := [r for r in records if r.damaged]:
        lines = sum(r.damaged for r in torn)
        names = ", ".join(r.folder.name for r in torn[:3]) + (
            " and others" if len(torn) > 3 else ""
        )
        sentences.append(f"{count(lines, 'torn or damaged line')} in the files of {names}")
    if others := sorted({name for r in records for name in r.not_numbers}):
        sentences.append(f"reported values that are not numbers: {', '.join(others)}")
    return sentences
