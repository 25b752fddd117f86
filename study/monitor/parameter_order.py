"""The order of a study's parameters in the live view: those that explain most of the metric first.

A rough order to watch a study by, cheap enough for every redraw. What is significant, and how sure
that is, is said by the report.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nerf.config.parameters import Value
from study.monitor.progress import EndedTrial, RunningTrial, StudyProgress
from study.records.outcomes import FAILED, PRUNED
from study.spec.dimension import Dimension

_MIN_TRIALS = 12
"""Ended trials from which on the parameters are ordered by what they explain."""

_GROUPS = 3
"""Into which the values of a range are divided: low, middle and high."""


@dataclass(frozen=True)
class ParameterOrder:
    """Dimensions in the order in which to show them, and a phrase on it; empty if as declared."""

    dimensions: tuple[Dimension, ...]
    basis: str

    def is_text(self, place: int) -> bool:
        """Whether the values of the dimension at this place are words."""
        return self.dimensions[place].kind == "choice"


Dimensions = Mapping[str, Dimension]
"""One parameter on each scene; a study's only scene is `""`."""


def order_parameters(
    progress: StudyProgress, dimensions: Mapping[str, Sequence[Dimension]]
) -> ParameterOrder:
    """Orders by the part of the metric's variation that each parameter explains so far.

    With few ended trials, orders by how much the running trials differ in each.

    dimensions: by scene, on which ranges of near and far differ
    """
    on_scenes = [
        dict(zip(dimensions, own, strict=True)) for own in zip(*dimensions.values(), strict=True)
    ]
    of_first = next(iter(dimensions.values()))
    ended = [e for e in progress.ended if e.value is not None and e.outcome not in (FAILED, PRUNED)]
    if len(ended) >= _MIN_TRIALS:
        explained = [_explained(own, ended) for own in on_scenes]
        label = progress.objective.label
        basis = f"parameters by the {label} that they explain so far ({len(ended)} trials)"
    else:
        explained = [_spread(own, progress.running) for own in on_scenes]
        basis = "parameters by how much they differ" if len(progress.running) > 1 else ""
    places = sorted(range(len(explained)), key=lambda j: -explained[j])  # stable: else as declared
    return ParameterOrder(tuple(of_first[j] for j in places), basis)


def _explained(dimensions: Dimensions, ended: Sequence[EndedTrial]) -> float:
    """The share of the variance of the metric's ranks that lies between groups of values.

    Ranks are those on a trial's own scene, from 0 to 1.

    Corrected for the share that as many groups explain by chance (epsilon squared), so that a
    parameter with many choices does not come first for that alone.
    """
    ended = [trial for trial in ended if dimensions[trial.scene].path in trial.values]
    if not ended:
        return 0.0
    ranks = np.empty(len(ended))
    groups: dict[Value, list[float]] = {}
    for scene, dimension in dimensions.items():
        places = [i for i, trial in enumerate(ended) if trial.scene == scene]
        values = np.array([ended[i].value for i in places], dtype=float)
        values[~np.isfinite(values)] = -np.inf  # diverged: below all others
        ranks[places] = np.argsort(np.argsort(values)) / max(len(values), 1)
        for i in places:
            group = _group(dimension, ended[i].values[dimension.path])
            groups.setdefault(group, []).append(float(ranks[i]))
    total, mean = float(np.var(ranks)) * len(ranks), float(ranks.mean())
    between = sum(len(group) * (statistics.fmean(group) - mean) ** 2 for group in groups.values())
    left = len(ranks) - len(groups)
    if left < 1 or total == 0:
        return 0.0
    return (between - (len(groups) - 1) * (total - between) / left) / total


def _group(dimension: Dimension, value: Value) -> Value:
    """The choice itself, or the third of the range in which the value lies."""
    if dimension.choices:
        return value
    return min(int(_GROUPS * _quantile(dimension, value)), _GROUPS - 1)


def _spread(dimensions: Dimensions, running: Sequence[RunningTrial]) -> float:
    """The difference of the lowest and highest quantile; for a choice, 1 where it differs."""
    acting = [t for t in running if dimensions[t.scene].path in t.values]
    own = [(dimensions[t.scene], t.values[dimensions[t.scene].path]) for t in acting]
    if all(dimension.choices for dimension, _ in own):
        return float(len({value for _, value in own}) > 1)
    quantiles = [_quantile(dimension, value) for dimension, value in own]
    return max(quantiles, default=0.0) - min(quantiles, default=0.0)


def _quantile(dimension: Dimension, value: Value) -> float:
    """The value's quantile in [0, 1]; a default outside the range counts as its nearer end."""
    return min(max(dimension.to_unit(dimension.nearest(value)), 0.0), 1.0)
