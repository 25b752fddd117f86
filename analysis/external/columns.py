"""Tells which columns of a table are settings, which outcomes, and which neither.

By what the table says (prefixes such as `config.`), by change within a run, by values (dates,
links, numbers of rows) and by names; never by how a column goes with the metric.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from analysis.external.cells import spell_value, to_number
from analysis.external.column_names import (
    Convention,
    find_convention,
    is_fitted_name,
    judge_name,
    split_words,
)
from analysis.external.open_columns import UNKNOWN, doubt_unknown
from analysis.external.sweep import Column, Setting, State
from analysis.external.table import Table

STATES: dict[str, State] = {
    **dict.fromkeys(("finished", "complete", "completed", "done", "terminated"), "completed"),
    **dict.fromkeys(("success", "succeeded", "ok"), "completed"),
    **dict.fromkeys(("pruned", "stopped", "early_stopped", "early stopped"), "pruned"),
    **dict.fromkeys(("crashed", "failed", "fail", "failure", "error", "errored"), "failed"),
    **dict.fromkeys(("killed", "preempted", "aborted", "canceled", "cancelled"), "failed"),
    **dict.fromkeys(("running", "pending", "queued", "waiting", "scheduled"), "running"),
}  # fmt: skip
"""What other tools call the states of a trial, in lower case."""

_DATE = re.compile(r"\d{4}-\d\d?-\d\d?([T ]\d\d?:\d\d.*)?|\d{4}/\d\d?/\d\d?.*")
_DURATION = re.compile(r"(\d+ days?,? )?\d+:\d\d:\d\d(\.\d+)?")
_LINK = re.compile(r"(https?|s3|gs|wandb|file)://\S*")
_COMMIT = re.compile(r"(?=.*\d)(?=.*[a-f])[0-9a-f]{7,40}")
_ROWS_TO_COUNT = 10  # a column of 1, 2, 3, ... down so many rows counts them
_MAX_TEXTS = 24
_UNIQUE = 0.9  # share of rows with a text of their own


def assign_roles(
    table: Table, changing: Collection[str] = ()
) -> tuple[tuple[Column, ...], Convention | None]:
    """What each column is taken for, and the tool's convention if the names follow one.

    Args:
        table: a row for each run.
        changing: columns of which some run has several values, in a table of histories.
    """
    convention = find_convention(table.names)
    columns = []
    for name in table.names:
        values = list(table.column(name))
        column = _judge_values(name, values, len(table.rows))
        if column is None and name in changing:
            column = _measure(name, values, "it changes within a run")
        if column is None and convention is not None:
            column = _judge_by_convention(name, values, convention)
        columns.append(column or _judge_by_name(name, values))
    if convention is None:
        columns = doubt_unknown(columns, table)
    return tuple(columns), convention


def find_state_column(table: Table) -> str | None:
    """The column that holds the state of each run: by its name, if all values are such words."""
    for name in table.names:
        words = split_words(name)
        values = list(table.column(name))
        named = bool(words) and words[-1] in ("state", "status") and bool(values)
        if named and all(isinstance(v, str) and v.lower() in STATES for v in values):
            return name
    return None


def is_numeric(values: Sequence[Setting]) -> bool:
    """Whether at least half of the values are numbers."""
    numbers = sum(to_number(value) is not None for value in values)
    return numbers > 0 and numbers >= len(values) / 2


def _judge_values(name: str, values: Sequence[Setting], rows: int) -> Column | None:
    if not values:
        return Column(name, "other", "it is empty")
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) == len(values):
        for pattern, kind in ((_DATE, "dates"), (_DURATION, "durations"), (_LINK, "links")):
            if all(map(pattern.fullmatch, texts)):
                return Column(name, "other", f"it holds {kind}")
        distinct = len(set(texts))
        if distinct > _MAX_TEXTS and distinct >= _UNIQUE * rows and not is_numeric(values):
            return Column(name, "other", "its text differs in almost every row")
        if distinct > 1 and all(map(_COMMIT.fullmatch, texts)):
            return Column(name, "other", "it holds commits")
    if len(values) == rows >= _ROWS_TO_COUNT and _counts_rows(values):
        return Column(name, "other", "it counts the rows")
    return None


def _counts_rows(values: Sequence[Setting]) -> bool:
    start = values[0]
    if isinstance(start, bool) or not isinstance(start, int) or start not in (0, 1):
        return False
    return list(values) == list(range(start, start + len(values)))


def _judge_by_convention(name: str, values: Sequence[Setting], convention: Convention) -> Column:
    if name.startswith(convention.settings):
        return Column(name, "setting", f"by the prefix {convention.settings!r}")
    if convention.outcomes and name.startswith(convention.outcomes):
        return _measure(name, values, f"by the prefix {convention.outcomes!r}")
    named = judge_name(name, whole=False)
    measured = named is not None and named.role == "outcome"
    recorded = named is not None and named.role == "other"
    if is_numeric(values) and (measured or (not convention.outcomes and not recorded)):
        return Column(name, "outcome", f"it has no prefix {convention.settings!r}")
    return Column(name, "other", f"it has no prefix {convention.settings!r}")


def _measure(name: str, values: Sequence[Setting], reason: str) -> Column:
    """An outcome; of values that are no numbers, neither outcome nor setting."""
    return Column(name, "outcome" if is_numeric(values) else "other", reason)


def _judge_by_name(name: str, values: Sequence[Setting]) -> Column:
    numbers = [to_number(value) for value in values]
    whole = all(number is not None and float(number).is_integer() for number in numbers)
    named = judge_name(name, whole)
    if named is None and is_numeric(values) and is_fitted_name(name):
        return Column(name, "outcome", "by the underscore at its end, as scikit-learn writes")
    if named is not None and named.doubtful and named.role == "setting" and not is_numeric(values):
        return Column(name, "setting", "by its values")
    if named is None or named.role == "setting" or (named.role == "outcome" and is_numeric(values)):
        constant = len(set(map(repr, values))) == 1
        if constant and (named is None or named.role == "setting"):
            return Column(name, "other", f"always {spell_value(values[0])[:40]}")
        return named or Column(name, "setting", UNKNOWN)
    if named.role == "outcome" or _is_state_of_another_kind(name):
        return Column(name, "setting", "by its values")
    return named


def _is_state_of_another_kind(name: str) -> bool:
    """Whether a column named state or status, which does not hold those of runs, is a setting."""
    return split_words(name) in (["state"], ["status"])
