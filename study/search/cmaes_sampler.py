"""Optuna's CMA-ES, whose state is read from the journal without running code that it holds."""

from __future__ import annotations

import io
import pickle
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from optuna import Study
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import CmaEsSampler
from optuna.search_space import intersection_search_space
from optuna.trial import FrozenTrial, TrialState, create_trial

from nerf.common.errors import InputError

_MIN_TO_START = 10
"""Trials from which a start can be estimated: it rests on the best tenth of them."""

_IN_A_STATE = {
    ("cmaes._cma", "CMA"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
}
"""All that a pickled state of the optimiser consists of."""


def cmaes_sampler(study: Study, seed: int) -> CmaEsSampler:
    """A covariance matrix adaptation evolution strategy (Hansen and Ostermeier, 2001).

    Its first generation begins where the best tenth of the other trials, such as explored ones,
    lie (Nomura et al., 2021); with fewer than ten of them, in the middle of the space.
    """
    shared = _list_modelled(study)
    others = [
        _with_only(shared, trial)
        for trial in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if not any(name.startswith("cma:") for name in trial.system_attrs)
    ]
    enough = len(others) >= _MIN_TO_START and bool(shared)
    with warnings.catch_warnings(category=ExperimentalWarning, action="ignore"):
        return _SafeCmaEs(
            source_trials=others if enough else None,
            warn_independent_sampling=False,  # the launch says so once
            seed=seed,
        )


def _list_modelled(study: Study) -> dict[str, BaseDistribution]:
    """What CMA-ES models: numbers of more than one value that all trials have."""
    in_all = intersection_search_space(study.get_trials(deepcopy=False))
    return {
        path: distribution
        for path, distribution in in_all.items()
        if not isinstance(distribution, CategoricalDistribution) and not distribution.single()
    }


def _with_only(modelled: Mapping[str, BaseDistribution], trial: FrozenTrial) -> FrozenTrial:
    """The trial without other parameters: Optuna would leave it out for them."""
    params = {path: trial.params[path] for path in modelled}
    return create_trial(params=params, distributions=dict(modelled), value=trial.value)


class _SafeCmaEs(CmaEsSampler):
    """Optuna pickles the state of a generation into the journal, which may come from elsewhere."""

    def _restore_optimizer(self, completed_trials: Sequence[FrozenTrial]) -> Any:
        for trial in reversed(completed_trials):
            key = self._attr_key_optimizer
            parts = {k: v for k, v in trial.system_attrs.items() if k.startswith(key)}
            if parts:
                state = bytes.fromhex(self._concat_optimizer_attrs(parts))
                return _StateUnpickler(io.BytesIO(state)).load()
        return None


class _StateUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _IN_A_STATE:
            raise InputError(
                f"the journal's state of CMA-ES holds {module}.{name}, which no CMA-ES has: the "
                "file was changed by somebody else"
            )
        return super().find_class(module, name)
