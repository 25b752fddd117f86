"""Whether a running trial is to be pruned after its last evaluation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from study.ledger.ledger import Ledger
from study.protocol.messages import Assignment
from study.search.successive_halving import is_promoted, reached_rung


def is_to_be_pruned(
    ledger: Ledger,
    rungs: tuple[int, ...],
    assignment: Assignment,
    curve: Sequence[Mapping[str, Any]],
) -> bool:
    """Whether the trial has reached a rung, and too many others did better there."""
    if not assignment.may_be_pruned or not curve:
        return False
    spec, objective = ledger.spec, ledger.spec.objective
    before = curve[-2]["step"] if len(curve) > 1 else 0
    rung = reached_rung(before, curve[-1]["step"], rungs, spec.steps)
    value = curve[-1][objective.metric]
    # A trial that diverged ends by itself, as collapsed: pruning would hide the reason.
    if rung is None or not math.isfinite(value):
        return False
    if spec.pruner != "halving":
        return ledger.is_pruned_by_optuna(assignment.number)
    reported = [objective.score(other) for other in ledger.reported_from(rung, assignment.scene)]
    return not is_promoted(objective.score(objective.rounded(value)), reported)
