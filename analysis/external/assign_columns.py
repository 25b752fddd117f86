"""Reads the columns of a table as a person says, or the other way round where that is doubtful."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from analysis.external.cells import to_number
from analysis.external.sweep import ExternalTrial, Role, Setting, Sweep


def assign_columns(
    sweep: Sweep, settings: Collection[str] = (), outcomes: Collection[str] = ()
) -> Sweep:
    """The sweep with each column in one role: as named here, else that of `Sweep.columns`.

    Any column can be named, also one that is neither setting nor outcome. Of other records than
    tables, metrics named in `settings` become settings, and the reverse.
    """
    taken: dict[str, Role] = {column.name: column.role for column in sweep.columns}
    for name in outcomes:
        taken[name] = "outcome"
    for name in settings:
        taken[name] = "setting"

    def assign(trial: ExternalTrial) -> ExternalTrial:
        values: dict[str, Setting] = {**trial.others, **trial.metrics, **trial.settings}
        set_values = {
            name: value
            for name, value in values.items()
            if taken.get(name, "setting" if name in trial.settings else None) == "setting"
        }
        measured = {
            name: float(number)
            for name, value in values.items()
            if taken.get(name, "outcome" if name in trial.metrics else None) == "outcome"
            and (number := to_number(value)) is not None
        }
        return replace(trial, settings=set_values, metrics=measured)

    return replace(sweep, trials=tuple(map(assign, sweep.trials)))
