"""Which configurations are run again with another seed: explored ones and the best, in turn.

The explored points are taken from the first on, whatever became of them: a sample of the whole
space, from which the seed's part in the variance follows. The best ones are looked at again so
that what is said of them does not rest on one lucky seed.
"""

from __future__ import annotations

from collections.abc import Sequence

from optuna.trial import FrozenTrial

from nerf.config.parameters import Value
from study.search.sobol_design import explore_point, repeats_explored
from study.spec.study_spec import StudySpec

BEST = 3
"""So many of the best configurations are repeated, one after the other."""


def awaits_others(spec: StudySpec, trials: Sequence[FrozenTrial], index: int) -> bool:
    """Can the `index`-th replicate not be told before trials end that still run?"""
    running = any(
        trial.user_attrs["phase"] != "replicate" and not trial.state.is_finished()
        for trial in trials
    )
    return running and not repeats_explored(index, spec.explore)


def repeated(spec: StudySpec, trials: Sequence[FrozenTrial], index: int) -> dict[str, Value]:
    """The values of the study's `index`-th replicate; the defaults where nothing else is known."""
    best = _best(trials)
    if best and not repeats_explored(index, spec.explore):
        return dict(best[index // 2 % len(best)].params)
    if spec.explore:
        return explore_point(spec.space, spec.seed, index // 2 % spec.explore)
    return spec.space.defaults()


def _best(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    alive = [
        trial
        for trial in trials
        if trial.values
        and trial.user_attrs["state"] == "completed"
        and trial.user_attrs["phase"] != "replicate"
    ]
    return sorted(alive, key=lambda trial: -trial.values[0])[:BEST]
