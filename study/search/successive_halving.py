"""Asynchronous successive halving (arXiv:1810.05934) as pure functions of what trials reported.

Nothing is kept between calls: the values that every trial reported at a rung lie in the study's
journal, and who goes on follows from them alone.
"""

from __future__ import annotations

from collections.abc import Sequence

REDUCTION = 3
"""One trial in this many goes on at each rung (the paper's eta)."""


def rungs(evaluations: Sequence[int]) -> tuple[int, ...]:
    """The evaluation steps at which trials are compared: about 1/3, 1/9, ... of the last one.

    Each rung is the first evaluation at or after its share of the budget. A budget below a
    ninth teaches too little to stop a trial, so there are at most two rungs.
    """
    budget = evaluations[-1]
    shares = (budget / REDUCTION**2, budget / REDUCTION)
    found = (next(step for step in evaluations if step >= share) for share in shares)
    return tuple(sorted({step for step in found if step < budget}))


def goes_on(value: float, reported: Sequence[float]) -> bool:
    """Is `value` among the best `1 / REDUCTION` of those `reported` at its rung, its own included?

    Higher is better. The first to come goes on: that is what makes it asynchronous.
    """
    kept = max(len(reported) // REDUCTION, 1)
    better = sum(other > value for other in reported)
    return better < kept
