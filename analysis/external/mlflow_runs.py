"""MLflow's experiments as sweeps, from a folder `mlruns` or a SQLite tracking database."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from analysis.external.counts import count
from analysis.external.mlflow_stores import (
    Experiment,
    Point,
    Run,
    find_store,
    read_database,
    read_file_store,
)
from analysis.external.sweep import ExternalTrial, Setting, State, Sweep
from nerf.common.errors import InputError

_STATES: dict[str, State] = {
    "FINISHED": "completed",
    "FAILED": "failed",
    "KILLED": "failed",
    "RUNNING": "running",
    "SCHEDULED": "running",
}

_INTEGER = re.compile(r"[+-]?\d{1,18}")
_NUMBER = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf|infinity|nan)", re.IGNORECASE)
_TRUTH = {"true": True, "false": False}


def has_mlflow_runs(path: Path) -> bool:
    """Whether a folder is an `mlruns` of MLflow, contains one, or is an experiment of one."""
    return find_store(path) is not None


def read_mlflow_runs(path: Path) -> tuple[Sweep, ...]:
    """Reads each experiment that has runs as a sweep; deleted ones are counted in `left_out`.

    Of nested runs the children are the trials, unless they have no parameters. Parameters, which
    MLflow stores as text, become numbers or truth values where all trials' values are.

    Raises:
        InputError: a file cannot be opened, or a database is damaged.
    """
    try:
        store = find_store(path) if path.is_dir() else None
        experiments, deleted = read_file_store(store) if store else read_database(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error}); make it readable") from None
    used = [experiment for experiment in experiments if experiment.runs]
    empty = len(experiments) - len(used)
    left_out = [count(deleted, "deleted experiment")] if deleted else []
    if empty:
        left_out.append(f"{count(empty, 'experiment')} without runs")
    names = _make_unique([e.name for e in used], [f"#{i}" for i in range(len(used))])
    return tuple(
        _make_sweep(experiment, name, left_out)
        for experiment, name in zip(used, names, strict=True)
    )


def _make_sweep(experiment: Experiment, name: str, left_out: Sequence[str]) -> Sweep:
    runs, nested = _choose_trials(sorted(experiment.runs, key=_start_order))
    names = _make_unique([r.name or r.run_id[:8] for r in runs], [r.run_id[:8] for r in runs])
    settings = _convert_parameters([run.params for run in runs])
    return Sweep(
        tool="MLflow",
        name=name,
        trials=tuple(map(_make_trial, runs, names, settings)),
        left_out=(*left_out, *experiment.left_out, *nested),
    )


def _start_order(run: Run) -> tuple[float, str]:
    return (run.started if math.isfinite(run.started) else math.inf, run.run_id)


def _choose_trials(runs: Sequence[Run]) -> tuple[list[Run], list[str]]:
    """The runs that are trials, and a sentence on those that group them or are parts of them."""
    children_of: dict[str, list[Run]] = {run.run_id: [] for run in runs}
    for run in runs:
        if run.parent in children_of and run.parent != run.run_id:
            children_of[run.parent].append(run)
    parents = {p for p, children in children_of.items() if any(c.params for c in children)}
    parts = {c.run_id for p, cs in children_of.items() if p not in parents for c in cs}
    sentences = []
    if parents:
        runs_above = count(len(parents), "parent run")
        sentences.append(f"{runs_above} over the child runs, which are the trials")
    if parts:
        sentences.append(f"{count(len(parts), 'child run')} without parameters")
    return [run for run in runs if run.run_id not in parents | parts], sentences


def _make_unique(names: Sequence[str], ids: Sequence[str]) -> list[str]:
    counts = Counter(names)
    return [n if counts[n] == 1 else f"{n} ({i})" for n, i in zip(names, ids, strict=True)]


def _make_trial(run: Run, name: str, settings: Mapping[str, Setting]) -> ExternalTrial:
    state = _STATES.get(run.status, "failed")
    curves = {key: _make_curve(points) for key, points in run.metrics.items() if len(points) > 1}
    return ExternalTrial(
        name=name,
        state=state,
        settings=settings,
        # As MLflow's latest value: the last in step, then in time, then the largest.
        metrics={key: max(points)[2] for key, points in run.metrics.items() if points},
        curves=curves,
        seconds=(run.ended - run.started) / 1000,
        reason=f"status {run.status}" if run.status not in ("FINISHED", "FAILED") else "",
    )


def _make_curve(points: Sequence[Point]) -> dict[int, float]:
    """Value by step; a metric that was logged without steps has its values in order of time."""
    ordered = sorted(points)
    if len({step for step, _, _ in ordered}) == 1:
        return {index: value for index, (_, _, value) in enumerate(ordered)}
    return {step: value for step, _, value in ordered}


def _convert_parameters(params: Sequence[Mapping[str, str]]) -> list[dict[str, Setting]]:
    """Each trial's parameters, a number or truth value where each value that is not None is one."""
    names = {name for values in params for name in values}
    convert = {n: _converter([values[n] for values in params if n in values]) for n in names}
    return [
        {name: None if text == "None" else convert[name](text) for name, text in values.items()}
        for values in params
    ]


def _converter(texts: Sequence[str]) -> Callable[[str], Setting]:
    texts = [text for text in texts if text != "None"]
    if all(_INTEGER.fullmatch(text) for text in texts):
        return int
    if all(_NUMBER.fullmatch(text) for text in texts):
        return float
    if all(text.lower() in _TRUTH for text in texts):
        return lambda text: _TRUTH[text.lower()]
    return str
