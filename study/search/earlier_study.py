"""Lets a sampler learn from earlier trials, which the journal of the study does not contain."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import optuna
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, create_trial

from nerf.config.flat import Flat
from nerf.config.parameters import Value
from study.spec.earlier_trials import EarlierTrials


def join_earlier(
    study: Study,
    earlier: Sequence[EarlierTrials],
    distributions: Mapping[str, BaseDistribution],
    acting: Callable[[Flat], dict[str, Value]],
) -> Study:
    """A copy in memory of the study, in which earlier trials come after its own.

    Its own trials keep their numbers, from which samplers draw.

    acting: those of a trial's values whose parameters act
    """
    joined = optuna.create_study(directions=study.directions, study_name=study.study_name)
    joined.add_trials(study.get_trials(deepcopy=False))
    for taken in earlier:
        for *values, metric in taken.rows:
            params = acting(dict(zip(taken.paths, values, strict=True)))
            trial = create_trial(
                params=params,
                distributions={path: distributions[path] for path in params},
                value=float(metric),
            )
            joined.add_trial(trial)
    return joined


class LearnsFrom(BaseSampler):
    """A sampler that looks at another study than the one whose trials it proposes."""

    def __init__(self, sampler: BaseSampler, study: Study) -> None:
        self._sampler = sampler
        self._study = study

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return self._sampler.infer_relative_search_space(self._study, self._copy_of(trial))

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        values = self._sampler.sample_relative(self._study, self._copy_of(trial), search_space)
        # What the sampler notes with the trial, such as the state of CMA-ES, goes to the journal.
        for name, note in self._copy_of(trial).system_attrs.items():
            if name not in trial.system_attrs:
                study._storage.set_trial_system_attr(trial._trial_id, name, note)
        return values

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        return self._sampler.sample_independent(
            self._study, self._copy_of(trial), param_name, param_distribution
        )

    def _copy_of(self, trial: FrozenTrial) -> FrozenTrial:
        return self._study.get_trials(deepcopy=False)[trial.number]
