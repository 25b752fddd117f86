"""Objectives that another tool's record has beside the metric of a study."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OtherObjectives:
    """What else was optimised.

    names: as the record has them
    front: how many trials are Pareto optimal in the metric and these; None if the record does not
    say of each which end is good
    trials: the completed ones that have a finite value of each
    """

    names: tuple[str, ...]
    front: int | None
    trials: int
