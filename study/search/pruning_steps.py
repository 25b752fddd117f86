"""At which steps a trial may be pruned, by the name of the study's pruner (`PRUNERS`)."""

from __future__ import annotations

from study.search.successive_halving import rungs

NINTHS = 9

_BY = {"halving": "successive halving", "median": "the median rule", "hyperband": "Hyperband"}


def pruning_steps(pruner: str, budget: int) -> tuple[int, ...]:
    """The steps of trials of so many steps, from which on the first report may end one."""
    if pruner == "none":
        return ()
    if pruner == "median":
        steps = {-(-budget * ninth // NINTHS) for ninth in range(1, NINTHS)}
        return tuple(sorted(step for step in steps if step < budget))
    return rungs(budget)


def describe_pruning(pruner: str, step: int) -> str:
    """The reason of a trial that was pruned by its report of this step."""
    return f"stopped by {_BY[pruner]} at step {step}"
