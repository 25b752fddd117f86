"""Optuna samplers that propose the configurations of the optimise phase.

To add another, make it in `_make_sampler` and name it in `SAMPLERS` (`study/spec/optimiser.py`),
from which the command line, study files and checks follow. Any Optuna sampler will do that learns
from the study's trials alone, as it is made again for each trial.
"""

from __future__ import annotations

import warnings
from collections.abc import Container, Sequence
from typing import cast

from optuna import Study
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, GPSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, Trial, TrialState

from nerf.config.condition import holds
from nerf.config.parameters import Value
from study.search.earlier_study import LearnsFrom, join_earlier
from study.search.trial_values import scene_of, trial_values
from study.spec.dimension import Dimension
from study.spec.study_spec import StudySpec


def distribution(dimension: Dimension) -> BaseDistribution:
    """Optuna's distribution of a dimension.

    Optuna has neither weighted choices nor logarithmic ranges with a step: weights shape the
    explore design alone, and such ranges get a linear scale.
    """
    if dimension.choices:
        return CategoricalDistribution(dimension.choices)
    low, high, log = dimension.low, dimension.high, dimension.log
    if dimension.step:
        high, log = float(dimension.from_unit(1.0)), False  # the last level
    if dimension.kind == "int":
        return IntDistribution(int(low), int(high), log=log, step=int(dimension.step) or 1)
    return FloatDistribution(low, high, log=log, step=dimension.step or None)


def tpe_sampler(seed: int, has_branches: bool = False) -> BaseSampler:
    """A tree-structured Parzen estimator (Bergstra et al., 2011).

    It models parameters jointly (`multivariate`), proposes from the first ended trial on, since the
    explore phase has been its random start, and takes running trials for bad ones
    (`constant_liar`), so that those started at the same time differ.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        # By group: trials of different branches have different parameters.
        return TPESampler(
            n_startup_trials=1, multivariate=True, group=has_branches, constant_liar=True, seed=seed
        )


class SceneStudy(Study):
    """What a sampler sees of a study of several scenes: the trials on one of them.

    The best configurations of one scene need not be those of another, nor their PSNRs alike.
    """

    def __init__(self, study: Study, scene: str) -> None:
        super().__init__(study.study_name, study._storage)
        self._scene = scene

    def _get_trials(
        self,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
        use_cache: bool = False,
    ) -> list[FrozenTrial]:
        trials = super()._get_trials(deepcopy, states, use_cache)
        return [trial for trial in trials if scene_of(trial) == self._scene]


def _make_sampler(spec: StudySpec, study: Study, seed: int) -> BaseSampler:
    """The sampler of `SAMPLERS` that the study names."""
    name = spec.sampler
    if name == "gp":
        return GPSampler(n_startup_trials=2, warn_independent_sampling=False, seed=seed)
    if name == "cmaes":
        from study.search.cmaes_sampler import cmaes_sampler

        return cmaes_sampler(study, seed)
    if name == "random":
        return RandomSampler(seed=seed)
    return tpe_sampler(seed, any(dimension.when for dimension in spec.space.dimensions))


def propose(
    study: Study, trial: FrozenTrial, missing: Sequence[Dimension], spec: StudySpec, seed: int
) -> dict[str, Value]:
    """All values of a running trial: those that it has, and those drawn for `missing` dimensions.

    They are drawn in this order, of those that act under the values so far, and stored with it.

    The sampler is made again for each trial, from a seed of the trial's own: a driver that
    restarts would otherwise draw the same numbers again.
    """
    if spec.earlier:
        distributions = {d.path: distribution(d) for d in spec.space.dimensions}
        joined = join_earlier(study, spec.earlier, distributions, spec.space.acting)
        study.sampler = LearnsFrom(_make_sampler(spec, joined, seed), joined)
    else:
        study.sampler = _make_sampler(spec, study, seed)
    live = Trial(study, trial._trial_id)
    values = trial_values(trial)
    for dimension in missing:
        if holds(dimension.when, values):
            values[dimension.path] = _suggest(live, dimension)
    return values


def _suggest(trial: Trial, d: Dimension) -> Value:
    drawn = distribution(d)
    if isinstance(drawn, IntDistribution):
        return trial.suggest_int(d.path, drawn.low, drawn.high, step=drawn.step, log=drawn.log)
    if isinstance(drawn, FloatDistribution):
        return trial.suggest_float(d.path, drawn.low, drawn.high, step=drawn.step, log=drawn.log)
    return cast(Value, trial.suggest_categorical(d.path, d.choices))  # Optuna allows None, too
