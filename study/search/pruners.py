"""Optuna's pruners of the optimise phase, which a study may have in place of successive halving.

They look at a trial at `pruning_steps`. All that a decision depends on is in the journal, so that a
new driver decides as the last one would have.
"""

from __future__ import annotations

from optuna import Study
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner
from optuna.trial import FrozenTrial

from study.search.pruning_steps import NINTHS


def is_pruned_by_optuna(study: Study, trial: FrozenTrial, name: str, budget: int) -> bool:
    """Whether Optuna's pruner of this name stops a running trial after its last report.

    Hyperband notes in the journal which rungs of its bracket the trial has reached.
    """
    return _make_pruner(name, budget).prune(study, trial)


def _make_pruner(name: str, budget: int) -> BasePruner:
    if name == "median":
        return MedianPruner(n_startup_trials=5)
    return HyperbandPruner(min_resource=max(budget // NINTHS, 1), max_resource=budget)
