"""The points of a study of several scenes: a row for each configuration that ran on all of them.

A point is a block: the same configuration, near and far at the same part of each scene's depth
range, once on every scene. Runs of a point are not independent of one another, points are. What
holds over the scenes therefore rests on a number for each point, such as its PSNR averaged over
them, never on single runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.data.study import Study
from study.records.outcomes import BROKEN, COLLAPSED, SHOWS_NOTHING, TRAINED
from study.spec.space import Dimension


@dataclass(frozen=True)
class ScenePoints:
    """Configurations that were run on every scene, each to its end.

    table: a row for each point, with the columns of `Study.trials` that the importance and breaking
    analyses read: `number`, `phase`, `outcome` (trained if it trained on every scene), `score` (the
    mean over the scenes), `steps_done`, `budget_steps`, and the varied parameters; near, far and
    span that follow from a scene are parts of their range, from 0 to 1
    scores, outcomes: (points, scenes) of each run
    dimensions: the varied parameters, as they stand in `table`
    """

    labels: tuple[str, ...]
    table: pd.DataFrame
    scores: pd.DataFrame
    outcomes: pd.DataFrame
    dimensions: tuple[Dimension, ...]

    @property
    def trained(self) -> pd.Series:
        """(points,) whether a point trained on every scene."""
        return self.table["outcome"] == TRAINED


def collect_points(scenes: Mapping[str, tuple[Study, pd.Series]]) -> ScenePoints:
    """The points of a study whose runs trained or broke on every scene.

    scenes: label -> the study on that scene, and which of its trials count; in the study's order
    """
    studies = {label: study for label, (study, _) in scenes.items()}
    first = next(iter(studies.values()))
    dimensions = tuple(
        _of_range(dimension) if _differs(dimension.path, list(studies.values())) else dimension
        for dimension in first.space.dimensions
    )
    ended = {}
    for place, (label, (study, counts)) in enumerate(scenes.items()):
        trials = study.trials[counts & study.trials["outcome"].isin([TRAINED, *BROKEN])]
        # The runs of a point are numbered in a row, a scene after the other.
        ended[label] = trials.set_index(trials["number"] - place)
    common = sorted(set.intersection(*(set(trials.index) for trials in ended.values())))
    runs = {label: trials.loc[common] for label, trials in ended.items()}
    scores = pd.DataFrame({label: trials["score"] for label, trials in runs.items()})
    outcomes = pd.DataFrame({label: trials["outcome"] for label, trials in runs.items()})
    table = next(iter(runs.values())).assign(
        score=scores.mean(axis=1), outcome=join_outcomes(outcomes)
    )
    for own, dimension in zip(first.space.dimensions, dimensions, strict=True):
        if own is not dimension:
            table[own.path] = [own.to_unit(value) for value in table[own.path]]
    return ScenePoints(tuple(studies), table, scores, outcomes, dimensions)


def _differs(path: str, studies: Sequence[Study]) -> bool:
    """Whether the range of a parameter differs between scenes."""
    own = [next(d for d in study.space.dimensions if d.path == path) for study in studies]
    return any(dimension != own[0] for dimension in own)


def _of_range(dimension: Dimension) -> Dimension:
    """A parameter whose range follows from the scene, as a part of that range."""
    label = f"{dimension.label} (part of its range on each scene)"
    return replace(dimension, low=0.0, high=1.0, log=False, label=label, unit="")


def join_outcomes(outcomes: pd.DataFrame) -> np.ndarray:
    """(points,) trained if a point trained on every scene, else how it broke on one."""
    return np.select(
        [(outcomes == COLLAPSED).any(axis=1), (outcomes == SHOWS_NOTHING).any(axis=1)],
        [COLLAPSED, SHOWS_NOTHING],
        TRAINED,
    )
