"""Replicates: configurations run again with another seed, explored ones and the best in turn.

Explored points are repeated from the first on, however they ended: a random sample of the space,
which estimates how much of the variance is the seed's. The best ones are repeated so that a claim
about them does not rest on one lucky seed.
"""

from __future__ import annotations

from collections.abc import Sequence

from optuna.trial import FrozenTrial

from nerf.config.parameters import Value
from study.search.sobol_design import explore_point
from study.spec.replicate_order import repeats_explored
from study.spec.study_spec import StudySpec

MAX_BEST_REPEATED = 3
"""How many of the best configurations are repeated, one after the other."""


def must_wait(spec: StudySpec, trials: Sequence[FrozenTrial], index: int) -> bool:
    """Whether the `index`-th replicate depends on trials that are still running.

    One that repeats a best configuration does, until all explored and optimised trials have ended.
    """
    running = any(
        trial.user_attrs["phase"] != "replicate" and not trial.state.is_finished()
        for trial in trials
    )
    return running and not repeats_explored(index, spec.explore)


def replicate_values(
    spec: StudySpec, trials: Sequence[FrozenTrial], index: int
) -> dict[str, Value]:
    """The values of the study's `index`-th replicate.

    Where no trial completed, explored points take the place of the best; where the study explores
    nothing, the default configuration does.
    """
    best = _best(trials)
    # `index` counts replicates of both kinds, which alternate: half of it counts those of one.
    if best and not repeats_explored(index, spec.explore):
        return dict(best[index // 2 % len(best)].params)
    if spec.explore:
        return explore_point(spec.space, spec.seed, index // 2 % spec.explore)
    return spec.space.defaults()


def _best(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    completed = [
        trial
        for trial in trials
        if trial.values
        and trial.user_attrs["state"] == "completed"
        and trial.user_attrs["phase"] != "replicate"
    ]
    return sorted(completed, key=lambda trial: -trial.values[0])[:MAX_BEST_REPEATED]
