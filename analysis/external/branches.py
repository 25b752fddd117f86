"""Finds parameters that only some trials have, and the parameter that decides which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from analysis.data.design import Branch
from analysis.external.sweep import ExternalTrial
from study.spec.dimension import Dimension


def find_branches(
    trials: Sequence[ExternalTrial],
    shared: Mapping[str, Dimension],
    conditional: Mapping[str, Dimension],
) -> tuple[Branch, ...]:
    """The branches of a sweep: sets of trials that have the same parameters of their own.

    Args:
        trials: those with settings.
        shared: parameters that all trials have, by the setting's name.
        conditional: parameters that only some have, by the setting's name.
    """
    return ()
