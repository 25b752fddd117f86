"""Asynchronous successive halving (ASHA, arXiv:1810.05934): trials compared on the way to the end.

A *rung* is a step at which a trial is compared with all that have reached it so far. The best third
are promoted and train on, the others are pruned. Pure functions of what trials reported: the values
at each rung are in the study's journal, so that a new driver decides as the last one would have.
"""

from __future__ import annotations

from collections.abc import Sequence

REDUCTION = 3
"""One trial in this many is promoted at each rung (the paper's eta)."""


def rungs(evaluations: Sequence[int]) -> tuple[int, ...]:
    """The rungs for trials evaluated at these ascending steps: about 1/9 and 1/3 of the last one.

    Each is the first evaluation at or after its share of the budget. Below a ninth of it, PSNR
    predicts too little to prune a trial, so there are two rungs at most.
    """
    budget = evaluations[-1]
    shares = (budget / REDUCTION**2, budget / REDUCTION)
    steps = (next(step for step in evaluations if step >= share) for share in shares)
    # Where evaluations are few, both shares may meet the same one, or the end itself.
    return tuple(sorted({step for step in steps if step < budget}))


def is_promoted(value: float, reported: Sequence[float]) -> bool:
    """Whether `value` is among the best `1 / REDUCTION` of those `reported` at its rung.

    `reported` includes it; higher is better. The first trial at a rung is always promoted instead
    of waiting for others to compare with: this is what makes the method asynchronous.
    """
    promoted = max(len(reported) // REDUCTION, 1)
    better = sum(other > value for other in reported)
    return better < promoted


def describe_pruning(step: int) -> str:
    """The reason of a trial that was pruned at the rung `step`."""
    return f"stopped by successive halving at step {step}"
