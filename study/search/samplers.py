"""Optuna samplers that propose the configurations of the optimise phase.

To add another, make it in `_make_sampler` and name it in `SAMPLERS` (`study/spec/optimiser.py`),
from which the command line, study files and checks follow. Any Optuna sampler will do that learns
from the study's trials alone, as it is made again for each trial.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import cast

from optuna import Study
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler, GPSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, Trial, TrialState

from nerf.config.parameters import Value
from study.search.earlier_study import LearnsFrom, join_earlier
from study.search.trial_values import scene_of
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


def tpe_sampler(seed: int) -> BaseSampler:
    """A tree-structured Parzen estimator (Bergstra et al., 2011).

    It models parameters jointly (`multivariate`), proposes from the first ended trial on, since the
    explore phase has been its random start, and takes running trials for bad ones
    (`constant_liar`), so that those started at the same time differ.
    """
    return TPESampler(n_startup_trials=1, multivariate=True, constant_liar=True, seed=seed)


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


def _make_sampler(name: str, study: Study, seed: int) -> BaseSampler:
    """The sampler of this name in `SAMPLERS`."""
    if name == "gp":
        return GPSampler(n_startup_trials=2, warn_independent_sampling=False, seed=seed)
    if name == "cmaes":
        from study.search.cmaes_sampler import cmaes_sampler

        return cmaes_sampler(study, seed)
    return RandomSampler(seed=seed) if name == "random" else tpe_sampler(seed)


def propose(
    study: Study, trial: FrozenTrial, missing: Sequence[Dimension], spec: StudySpec, seed: int
) -> dict[str, Value]:
    """Values of a running trial for the `missing` dimensions, by path, drawn in this order and
    stored with it.

    The sampler is made again for each trial, from a seed of the trial's own: a driver that
    restarts would otherwise draw the same numbers again.
    """
    if spec.earlier:
        distributions = {d.path: distribution(d) for d in spec.space.dimensions}
        joined = join_earlier(study, spec.earlier, distributions)
        study.sampler = LearnsFrom(_make_sampler(spec.sampler, joined, seed), joined)
    else:
        study.sampler = _make_sampler(spec.sampler, study, seed)
    live = Trial(study, trial._trial_id)
    return {d.path: _suggest(live, d) for d in missing}


def _suggest(trial: Trial, d: Dimension) -> Value:
    drawn = distribution(d)
    if isinstance(drawn, IntDistribution):
        return trial.suggest_int(d.path, drawn.low, drawn.high, step=drawn.step, log=drawn.log)
    if isinstance(drawn, FloatDistribution):
        return trial.suggest_float(d.path, drawn.low, drawn.high, step=drawn.step, log=drawn.log)
    return cast(Value, trial.suggest_categorical(d.path, d.choices))  # Optuna allows None, too
