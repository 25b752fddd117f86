"""Replicates: an explored point, the best configuration and the default in turn, with other seeds.

Explored points are repeated from the first on, however they ended: a random sample of the space,
which estimates how much of the variance is the seed's. The best configuration and the default get
the same number of further runs, the r-th of both with the same seed: their difference then rests
neither on one lucky seed nor on the run that the best was selected by.

The best is the configuration with the best metric (of NeRFs, the highest PSNR) in the explore and
optimise phases, other than the default; of several metrics, the most balanced of these
configurations (`study/spec/pareto_front.py`). It is known once both phases have ended, and no
replicate changes it. Only an extended study may find another one, which all further turns then
repeat.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from optuna.trial import FrozenTrial

from nerf.config.flat import Flat
from nerf.config.parameters import Value
from study.search.explore_design import explore_values
from study.search.sobol_design import trial_seed
from study.search.trial_values import final_values, is_broken, trial_values
from study.spec.pareto_front import find_most_balanced
from study.spec.replicate_order import replicate_role
from study.spec.study_spec import StudySpec

MAX_ALTERNATING_BEST = 3
"""How many of the best configurations an earlier version repeated, one after the other."""

_PAIRED_SEEDS = 2**32
"""Added to a turn for the seed of both its runs: a number that no trial has."""


def must_wait(spec: StudySpec, trials: Sequence[FrozenTrial], index: int) -> bool:
    """Whether the `index`-th replicate depends on trials that are still running.

    One of the best configuration does, until all explored and optimised trials have ended.
    """
    role, _ = replicate_role(index, spec.explore, spec.alternating_replicates)
    return role == "best" and any(
        trial.user_attrs["phase"] != "replicate" and not trial.state.is_finished()
        for trial in trials
    )


def replicate_values(
    spec: StudySpec, trials: Sequence[FrozenTrial], index: int
) -> dict[str, Value]:
    """The values of the study's `index`-th replicate.

    Where no trial but a default one completed, explored points take the place of the best; where
    the study explores nothing, the default configuration does.
    """
    role, turn = replicate_role(index, spec.explore, spec.alternating_replicates)
    best = _best(spec, trials, index) if role == "best" else []
    if best:
        return trial_values(best[turn % len(best)])
    if role == "default" or not spec.explore:
        return spec.space.defaults()
    return explore_values(spec, turn % spec.explore)


def replicate_seed(spec: StudySpec, trials: Sequence[FrozenTrial], index: int, number: int) -> int:
    """The training seed of the study's `index`-th replicate, which is trial `number`."""
    role, turn = replicate_role(index, spec.explore, spec.alternating_replicates)
    is_paired = index >= spec.alternating_replicates and (
        role == "default" or (role == "best" and bool(_best(spec, trials, index)))
    )
    return trial_seed(spec.seed, _PAIRED_SEEDS + turn if is_paired else number)


def _best(spec: StudySpec, trials: Sequence[FrozenTrial], index: int) -> list[FrozenTrial]:
    """The trials whose configurations the turns of the best repeat, best first."""
    completed = [
        trial
        for trial in trials
        if final_values(trial)
        and trial.user_attrs["state"] == "completed"
        and trial.user_attrs["phase"] != "replicate"
    ]
    if index < spec.alternating_replicates:
        return _rank(spec, completed)[:MAX_ALTERNATING_BEST]
    defaults = spec.space.defaults()
    others = [trial for trial in completed if not _equal(trial_values(trial), defaults)]
    candidates = [trial for trial in others if not is_broken(trial)] or others
    if len(spec.objectives) == 1 or not candidates:
        return _rank(spec, candidates)[:1]
    scores = [
        [o.score(value) for o, value in zip(spec.objectives, final_values(trial), strict=True)]
        for trial in candidates
    ]
    return [candidates[find_most_balanced(np.array(scores))]]


def _rank(spec: StudySpec, trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """The trials by their first metric, best first."""
    score = spec.objective.score
    return sorted(trials, key=lambda trial: (-score(final_values(trial)[0]), trial.number))


def _equal(values: Flat, others: Flat) -> bool:
    """Whether two configurations are the same; one restored from a record may be rounded."""
    return values.keys() == others.keys() and all(
        math.isclose(value, float(others[path]))
        if isinstance(value, float)
        else value == others[path]
        for path, value in values.items()
    )
