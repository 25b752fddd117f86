"""What a trainer may report: the rules for the points of a trial's learning curve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from study.trainers.collapse_rule import CollapseRule
from study.trainers.objective import Objective
from study.trainers.run import TrainerMistake


@dataclass(frozen=True)
class RunRules:
    """What a trial's reports are checked by."""

    objectives: tuple[Objective, ...]
    rungs: tuple[int, ...] = ()
    """Steps at which the trial may be pruned."""
    collapse: tuple[CollapseRule, ...] = ()
    reserved: frozenset[str] = frozenset()
    """Names that no metric may have: columns and parameters."""

    @property
    def names(self) -> list[str]:
        return [objective.metric for objective in self.objectives]

    @property
    def to_report(self) -> list[str]:
        """The metrics that a trainer must report."""
        return [objective.metric for objective in self.objectives if not objective.is_measured]

    def check_metrics(self, step: int, metrics: Mapping[str, Any]) -> dict[str, float]:
        """The reported metrics as floats; raises `TrainerMistake` for a missing or reserved one."""
        for name in self.to_report:
            if name not in metrics:
                names = ", ".join(metrics) or "nothing"
                raise TrainerMistake(
                    f"the metric {name} was not reported: run.report() of step {step} has {names}; "
                    "name one of them by --metric"
                )
        if taken := self.reserved & metrics.keys():
            raise TrainerMistake(
                f"run.report(): {', '.join(sorted(taken))} is the name of a parameter or column; "
                "give the metric another one"
            )
        return as_floats(metrics, "run.report")


def check_step(step: object, previous: int, budget: int) -> int:
    """The step of a report; raises `TrainerMistake` unless it rises within the budget."""
    if isinstance(step, int | np.integer) and previous < step <= budget:
        return int(step)
    raise TrainerMistake(
        f"run.report({step!r}, ...) after step {previous}: steps are whole numbers that rise from "
        f"1 to --steps, {budget}"
    )


def as_floats(metrics: Mapping[str, Any], where: str) -> dict[str, float]:
    """The metrics as plain floats; raises `TrainerMistake` for any other value."""
    numbers: dict[str, float] = {}
    for name, value in metrics.items():
        try:
            numbers[str(name)] = float(value)
        except (TypeError, ValueError):
            kind = type(value).__name__
            raise TrainerMistake(f"{where}(): {name} must be a number, got {kind}") from None
    return numbers
