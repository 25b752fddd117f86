"""Optuna samplers that propose the configurations of the optimise phase.

To add another sampler, write a function such as `tpe_sampler` that makes it from a seed, and call
it in `propose`. Any Optuna sampler will do that learns from the study's trials alone, as it is made
again for each trial (`GPSampler`, `CmaEsSampler`). To let users choose:

    study/spec/study_spec.py   a field of `StudySpec` for its name; check it in `__post_init__`
    study/cli/parser.py        an option of the same name
    study/cli/options.py       a field of `Options` of the same name
    study/spec/study_file.py   its key in study files, in `_KEYS`
    study/ledger/ledger.py     pass the name from `Ledger._values` to `propose`
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
from optuna.samplers import BaseSampler, TPESampler
from optuna.trial import FrozenTrial, Trial, TrialState

from nerf.config.parameters import Value
from study.search.trial_values import scene_of
from study.spec.dimension import Dimension


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


def propose(
    study: Study, trial: FrozenTrial, dimensions: Sequence[Dimension], seed: int
) -> dict[str, Value]:
    """Values of a running trial's `dimensions`, by path, drawn in this order and stored with it.

    The sampler is made again for each trial, from a seed of the trial's own: a driver that
    restarts would otherwise draw the same numbers again.
    """
    study.sampler = tpe_sampler(seed)
    live = Trial(study, trial._trial_id)
    return {d.path: _suggest(live, d) for d in dimensions}


def _suggest(trial: Trial, d: Dimension) -> Value:
    drawn = distribution(d)
    if isinstance(drawn, IntDistribution):
        return trial.suggest_int(d.path, drawn.low, drawn.high, step=drawn.step, log=drawn.log)
    if isinstance(drawn, FloatDistribution):
        return trial.suggest_float(d.path, drawn.low, drawn.high, step=drawn.step, log=drawn.log)
    return cast(Value, trial.suggest_categorical(d.path, d.choices))  # Optuna allows None, too
