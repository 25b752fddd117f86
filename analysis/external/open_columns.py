"""Doubts columns of numbers whose names are neither those of metrics nor those of settings.

By the values alone, never by how a column goes with the metric: settings are drawn from ranges and
lists, most results of a run are numbers of their own that no range was declared for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from analysis.external.cells import to_number
from analysis.external.column_names import is_setting_name
from analysis.external.priors import estimate_domain
from analysis.external.sweep import Column
from analysis.external.table import Table

UNKNOWN = "its name is of no known metric"

_MIN_ROWS = 8
_MAX_VALUES = 10_000  # of a column that are looked at for its range
_MIN_DISTINCT = 0.5  # of the rows; values from lists recur more often


def doubt_unknown(columns: Sequence[Column], table: Table) -> list[Column]:
    """The columns; those of unknown names whose values recur seldom may be outcomes.

    Beside settings of known names they are doubtful, and outcomes if they stand to the right of all
    of these and of a known outcome. Without known settings those are doubtful of which the values
    look drawn from no range while others do.
    """
    unknown = {c.name for c in columns if c.reason == UNKNOWN and not is_setting_name(c.name)}
    open_names = {name for name in unknown if _recurs_seldom(table, name)}
    settings = [
        i for i, c in enumerate(columns) if c.role == "setting" and c.name not in open_names
    ]
    known = [i for i in settings if columns[i].name not in unknown]
    if not known:
        unfit = {name for name in open_names if not _fits_range(table, name)}
        some_fit = len(unfit) < len(open_names) or bool(settings)
        return [
            replace(c, reason="its values look drawn from no range", doubtful=True)
            if some_fit and c.name in unfit
            else c
            for c in columns
        ]
    outcomes = [i for i, c in enumerate(columns) if c.role == "outcome" and not c.doubtful]
    end = max(settings[-1], outcomes[0]) if outcomes else len(columns)
    return [_doubt(c, i > end) if c.name in open_names else c for i, c in enumerate(columns)]


def list_unknown(columns: Sequence[Column]) -> list[str]:
    """The settings that are taken for such although their names say nothing."""
    return [
        c.name
        for c in columns
        if c.role == "setting" and c.reason == UNKNOWN and not is_setting_name(c.name)
    ]


def _doubt(column: Column, is_behind: bool) -> Column:
    if is_behind:
        reason = "of an unknown name, it stands after settings and outcomes"
        return Column(column.name, "outcome", reason, doubtful=True)
    reason = "of an unknown name, it has another number in most runs"
    return Column(column.name, "setting", reason, doubtful=True)


def _recurs_seldom(table: Table, name: str) -> bool:
    numbers = [to_number(value) for value in table.column(name)]
    if len(numbers) < _MIN_ROWS or None in numbers:
        return False
    return len(set(numbers)) >= _MIN_DISTINCT * len(numbers)


def _fits_range(table: Table, name: str) -> bool:
    values = list(table.column(name))
    return estimate_domain(name, values[:: len(values) // _MAX_VALUES + 1]).fits
