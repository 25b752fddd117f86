"""Finds runs of one configuration under several seeds, and takes the mean of each configuration."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from analysis.data.assumption import Assumption
from analysis.data.metric import Metric
from analysis.external.column_names import split_words
from analysis.external.frames import final_value
from analysis.external.question import Question
from analysis.external.sweep import ExternalTrial, Setting, Sweep

_SEEDS = {"random state", "fold", "split", "rep", "repeat", "repetition", "replicate", "run"}
_MANY_LEVELS = 12  # of one number, beyond which a list of its values is a sample of a range
_USUAL = 0.75  # of the configurations that were run equally often, where repeats were planned
_BEYOND_CHANCE = 2.0  # pairs of equal trials, as a multiple of those of independent columns

Key = tuple[str, ...]


def merge_repeats(
    sweep: Sweep, metric: Metric, question: Question
) -> tuple[Sweep, tuple[Assumption, ...]]:
    """The sweep with one trial for each configuration that was completed several times.

    Its metrics are the means of the repeats. Small grids, whose runs count by combination, and
    trials that are equal by chance stay as they are.
    """
    seeds = find_seeds(sweep.trials, question)
    names = sorted({n for t in sweep.trials for n in t.settings} - {*seeds, *question.ignored})
    ended = [t for t in sweep.trials if t.state != "running" and t.settings]
    keys = [_key(trial, names) for trial in ended]
    if len(ended) < 2 or not _are_planned(keys, bool(seeds)):
        return sweep, ()
    groups: dict[Key, list[ExternalTrial]] = {}
    merged: list[ExternalTrial | Key] = []
    for trial in sweep.trials:
        if trial.state != "completed" or not math.isfinite(final_value(trial, metric)):
            merged.append(trial)
            continue
        key = _key(trial, names)
        if key not in groups:
            merged.append(key)
        groups.setdefault(key, []).append(trial)
    runs = sum(map(len, groups.values()))
    if runs == len(groups):
        return sweep, ()
    trials = tuple(
        item if isinstance(item, ExternalTrial) else _average(groups[item]) for item in merged
    )
    by = f", told apart by {' and '.join(seeds)}" if seeds else ""
    text = (
        f"{runs} completed trials are {len(groups)} configurations{by}: each counts once, with the "
        f"mean {metric.name} of its runs"
    )
    option = f"--parameters {','.join((*names, *seeds))}" if seeds else ""
    return dataclasses.replace(sweep, trials=trials), (Assumption(text, option),)


def find_seeds(trials: Sequence[ExternalTrial], question: Question) -> tuple[str, ...]:
    """The settings that only tell repeats apart, such as `seed` or `fold`: by name and values.

    Not those that the question names, nor those with a declared range, which a sampler tuned.
    """
    values: dict[str, set[Setting]] = {}
    tuned = {*question.parameters, *(prior.path for prior in question.priors)}
    for trial in trials:
        tuned.update(trial.domains)
        for name, value in trial.settings.items():
            values.setdefault(name, set()).add(value)
    return tuple(
        name
        for name, seen in values.items()
        if name not in tuned and _is_seed_name(name) and all(map(_is_mark, seen))
    )


def _is_seed_name(name: str) -> bool:
    words = split_words(name)
    phrases = (" ".join(words), " ".join(words[-2:]))
    return bool(words) and (words[-1] in ("seed", "fold") or any(p in _SEEDS for p in phrases))


def _is_mark(value: Setting) -> bool:
    """Whether a value can be a seed or a fold: a whole number, a text, or none."""
    return isinstance(value, str | int | None) or value.is_integer()


def _key(trial: ExternalTrial, names: Sequence[str]) -> Key:
    return tuple(repr(trial.settings[n]) if n in trial.settings else "" for n in names)


def _are_planned(keys: Sequence[Key], have_seeds: bool) -> bool:
    """Whether configurations were repeated on purpose, though not as cells of a small grid.

    Independent columns, those of grids among them, have as many pairs of equal trials as the
    product of each column's shares of equal pairs. An optimiser that comes back to a
    configuration repeats it unevenly.
    """
    times = Counter(keys)
    usual, configurations = Counter(times.values()).most_common(1)[0]
    evenly = usual > 1 and configurations >= _USUAL * len(times)
    if not evenly and not have_seeds:
        return False
    columns = [Counter(column) for column in zip(*keys, strict=True)]
    every = math.comb(len(keys), 2)
    expected = every * math.prod(_count_pairs(column) / every for column in columns)
    repeated = _count_pairs(times)
    if not repeated:
        return False
    many = max((len(column) for column in columns), default=0) > _MANY_LEVELS
    return repeated >= _BEYOND_CHANCE * expected or (evenly and many)


def _count_pairs(counts: Mapping[str, int] | Mapping[Key, int]) -> int:
    return sum(math.comb(count, 2) for count in counts.values())


def _average(trials: Sequence[ExternalTrial]) -> ExternalTrial:
    """The first trial, with the means of all in its place."""
    if len(trials) == 1:
        return trials[0]
    names = dict.fromkeys(name for trial in trials for name in trial.metrics)
    curves = [trial.curves for trial in trials]
    shared = [name for name in curves[0] if all(name in curve for curve in curves)]
    return dataclasses.replace(
        trials[0],
        metrics={n: _mean([t.metrics[n] for t in trials if n in t.metrics]) for n in names},
        curves={
            name: {
                step: _mean([curve[name][step] for curve in curves])
                for step in curves[0][name]
                if all(step in curve[name] for curve in curves)
            }
            for name in shared
        },
        seconds=_mean([trial.seconds for trial in trials]),
        runs=len(trials),
    )


def _mean(values: Sequence[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return float(np.mean(finite)) if finite else values[0]
