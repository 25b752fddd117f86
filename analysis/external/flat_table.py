"""Reads a table with a row for each run, or for each step of each run: `read_table`."""

from __future__ import annotations

import functools
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from analysis.external.cells import READ_AS_TEXT, to_number
from analysis.external.column_names import Convention, split_words
from analysis.external.columns import STATES, assign_roles, find_state_column
from analysis.external.counts import count
from analysis.external.histories import split_histories
from analysis.external.packed import unpack
from analysis.external.record_table import expand_objects, read_json_table, read_parquet_table
from analysis.external.sweep import Column, ExternalTrial, Setting, Sweep
from analysis.external.table import Table
from analysis.external.text_table import decode, read_text_table
from analysis.external.workbook import is_workbook, read_workbook
from nerf.common.errors import InputError

_NAMES = ("name", "run name", "trial name", "trial id", "run id", "id", "run", "trial", "number")
_SECONDS = ("runtime", "duration", "time total s", "summary runtime")
_MAX_LISTED = 16
_MAX_WORDS = 4


def read_table(path: Path) -> tuple[Sweep, ...]:
    """The sweep in a CSV, TSV, Parquet, JSON or JSON lines file, also one in .gz or .zip.

    The columns' roles are in `Sweep.columns`. Settings and metrics of a trial hold the numbers of
    doubtful columns both. A trial has no metric where its cell is empty or no number.

    Raises:
        InputError: the file is none of these, empty, damaged, or has no row or no setting.
    """
    table = expand_objects(_read_rows(path))
    if not table.rows:
        raise InputError(f"{path} has a heading but no rows; name a table with a row for each run")
    if any(name.endswith("__MIN") for name in table.names):
        raise InputError(
            f"{path} is the data of a W&B chart, which has no settings; export the runs table"
        )
    table = _drop_duplicates(table)
    histories = split_histories(table)
    changing: frozenset[str] = frozenset()
    curves: Sequence[Mapping[str, Mapping[int, float]]] = [{}] * len(table.rows)
    if histories is not None:
        table, changing, curves = histories.table, histories.changing, histories.curves
    columns, convention = assign_roles(table, changing)
    return (_make_sweep(path, table, columns, convention, curves),)


def _read_rows(path: Path) -> Table:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check its name") from None
    if is_workbook(data):
        return read_workbook(path, data)
    name, data = unpack(path, data)
    if data.startswith(b"PAR1"):
        return read_parquet_table(path, data)
    if not data.strip():
        raise InputError(f"{path} is empty; name a table with a heading and a row for each run")
    text, _ = decode(data)
    is_json = Path(name).suffix.lower().startswith((".json", ".ndjson"))
    if is_json or re.match(r"\s*(\[|\{\s*\")", text):
        return read_json_table(path, text)
    return read_text_table(path, data)


def _drop_duplicates(table: Table) -> Table:
    """The table without rows that equal an earlier one in every column."""
    distinct = tuple({repr(sorted(row.items())): row for row in table.rows}.values())
    if not (dropped := len(table.rows) - len(distinct)):
        return table
    text = f"{count(dropped, 'row')} equal to an earlier one in every column"
    return replace(table, rows=distinct, left_out=(*table.left_out, text))


def _make_sweep(
    path: Path,
    table: Table,
    columns: Sequence[Column],
    convention: Convention | None,
    curves: Sequence[Mapping[str, Mapping[int, float]]],
) -> Sweep:
    state_name = find_state_column(table)
    columns = [
        Column(c.name, "other", "it holds the states of the runs") if c.name == state_name else c
        for c in columns
    ]
    short = _shorten_names([c.name for c in columns], convention)
    trials = tuple(
        _make_trial(place, row, columns, short, state_name, curves[place])
        for place, row in enumerate(table.rows)
    )
    return Sweep(
        tool=_name_tool(table, convention),
        name=path.name,
        trials=trials,
        objectives=convention.find_objectives(table.names) if convention else (),
        notes=_drop_notes(table.notes, [c.name for c in columns if c.role == "outcome"]),
        left_out=(*table.left_out, *_count_words(table, columns), *_list_others(columns)),
        columns=tuple(Column(short[c.name], c.role, c.reason, c.doubtful) for c in columns),
    )


def _make_trial(
    place: int,
    row: Mapping[str, Setting],
    columns: Sequence[Column],
    short: Mapping[str, str],
    state_name: str | None,
    curves: Mapping[str, Mapping[int, float]],
) -> ExternalTrial:
    settings: dict[str, Setting] = {}
    metrics: dict[str, float] = {}
    others: dict[str, Setting] = {}
    for column in columns:
        if column.name not in row:
            continue
        name, value = short[column.name], row[column.name]
        number = to_number(value)
        if (column.role == "outcome" or column.doubtful) and number is not None:
            metrics[name] = float(number)
        is_setting = column.role == "setting" or (column.doubtful and number is not None)
        if is_setting and not (isinstance(value, float) and math.isnan(value)):
            settings[name] = value
        if column.role == "other":
            others[name] = value
    state = str(row.get(state_name, "completed")) if state_name else "completed"
    return ExternalTrial(
        name=_name_trial(place, row),
        state=STATES[state.lower()],
        settings=settings,
        metrics=metrics,
        curves={short[n]: curve for n, curve in curves.items() if short[n] in metrics},
        seconds=_find_seconds(row),
        reason="" if STATES[state.lower()] in ("completed", "running") else state,
        others=others,
    )


def _shorten_names(names: Sequence[str], convention: Convention | None) -> dict[str, str]:
    """Each name without the prefix that says its role, unless two would then be the same."""
    if convention is None:
        return {name: name for name in names}
    prefixes = [p for p in (convention.settings, convention.outcomes) if p]
    stripped = {
        name: next((name[len(p) :] for p in prefixes if name.startswith(p) and name != p), name)
        for name in names
    }
    counts = Counter(stripped.values())
    return {name: bare if counts[bare] == 1 else name for name, bare in stripped.items()}


def _name_trial(place: int, row: Mapping[str, Setting]) -> str:
    phrases = {_phrase(name): value for name, value in row.items()}
    return next((str(phrases[p]) for p in _NAMES if p in phrases), f"row {place + 1}")


def _find_seconds(row: Mapping[str, Setting]) -> float:
    for name, value in row.items():
        if _phrase(name) in _SECONDS and (number := to_number(value)) is not None:
            return float(number)
    return math.nan


@functools.cache
def _phrase(name: str) -> str:
    """The words of a column's name; cached, as all rows have the same columns."""
    return " ".join(split_words(name))


def _name_tool(table: Table, convention: Convention | None) -> str:
    if convention is not None and convention.tool:
        return convention.tool
    from_wandb = {"Name", "State"} <= set(table.names) or convention is not None
    return "W&B" if from_wandb else table.kind


def _drop_notes(notes: Sequence[str], outcomes: Sequence[str]) -> tuple[str, ...]:
    """The notes without those that outcomes are text: their numbers are read, the rest counted."""
    untrue = tuple(f"{name}: {READ_AS_TEXT}" for name in outcomes)
    return tuple(note for note in notes if not note.startswith(untrue))


def _count_words(table: Table, columns: Sequence[Column]) -> list[str]:
    """How many cells of outcomes are neither empty nor numbers, and what they hold."""
    sentences = []
    for column in columns:
        if column.role != "outcome":
            continue
        values = table.column(column.name)
        words = Counter(str(v)[:40] for v in values if v is not None and to_number(v) is None)
        if words:
            shown = ", ".join(list(words)[:_MAX_WORDS]) + ", ..." * (len(words) > _MAX_WORDS)
            cells = count(words.total(), "cell")
            sentences.append(f"{column.name}: {cells} that held no number ({shown})")
    return sentences


def _list_others(columns: Sequence[Column]) -> list[str]:
    """The columns that are neither settings nor outcomes, by reason."""
    by_reason: dict[str, list[str]] = {}
    others = [column for column in columns if column.role == "other"]
    for column in others[:_MAX_LISTED]:
        by_reason.setdefault(column.reason, []).append(column.name)
    if not others:
        return []
    listed = ", ".join(f"{', '.join(names)} ({why})" for why, names in by_reason.items())
    more = f" and {len(others) - _MAX_LISTED} more" if len(others) > _MAX_LISTED else ""
    return [f"columns that are neither settings nor outcomes: {listed}{more}"]
