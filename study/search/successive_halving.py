"""Asynchronous successive halving (ASHA, arXiv:1810.05934): trials compared on the way to the end.

A *rung* is a step at which a trial, by its first report there or later, is compared with all that
have reached it so far. The best third are promoted and train on, the others are pruned. Pure
functions of what trials reported: the values at each rung are in the study's journal, so that a new
driver decides as the last one would have.
"""

from __future__ import annotations

from collections.abc import Sequence

REDUCTION = 3
"""One trial in this many is promoted at each rung (the paper's eta)."""


def rungs(budget: int) -> tuple[int, ...]:
    """The rungs of trials of so many steps: 1/9 and 1/3 of them, rounded up.

    Below a ninth, the metric predicts too little to prune a trial, so there are two at most.
    """
    steps = (-(-budget // REDUCTION**2), -(-budget // REDUCTION))
    return tuple(sorted({step for step in steps if step < budget}))


def reached_rung(before: int, step: int, rungs: Sequence[int], budget: int) -> int | None:
    """The rung that a trial reaches by its report of `step`, where `before` was its last one.

    None where there is none between the two, and at the end of its budget. The highest one where
    reports are so few that both lie between two of them.
    """
    reached = [rung for rung in rungs if before < rung <= step < budget]
    return max(reached, default=None)


def is_promoted(value: float, reported: Sequence[float]) -> bool:
    """Whether `value` is among the best `1 / REDUCTION` of those `reported` at its rung.

    `reported` includes it; higher is better. The first trial at a rung is always promoted instead
    of waiting for others to compare with: this is what makes the method asynchronous.
    """
    promoted = max(len(reported) // REDUCTION, 1)
    better = sum(other > value for other in reported)
    return better < promoted
