"""Tables with several rows for each run, one for each step: their runs and learning curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from analysis.external.cells import to_number
from analysis.external.column_names import split_words
from analysis.external.counts import count
from analysis.external.sweep import Setting
from analysis.external.table import Table

_RUNS = {"run", "run id", "run name", "name", "id", "trial", "trial id", "trial name", "uuid"}
_STEPS = (
    "step", "global step", "trainer global step", "training iteration", "iteration", "iter",
    "epoch", "timesteps total",
)  # fmt: skip
_MIN_ROWS = 3  # for each run on average; fewer rows of one name are runs of the same name


@dataclass(frozen=True)
class Histories:
    """The runs of a table of histories.

    table: a row for each run, with its last value of each column
    changing: the columns of which some run has several values
    curves: for each run, column -> step -> number, of the changing columns
    """

    table: Table
    changing: frozenset[str]
    curves: tuple[Mapping[str, Mapping[int, float]], ...]


def split_histories(table: Table) -> Histories | None:
    """The runs of a table of histories; None if it has a row for each run.

    It holds histories if a column that names runs repeats itself, and the steps within each run
    differ.
    """
    step_names = [n for phrase in _STEPS for n in table.names if _phrase(n) == phrase]
    run_names = [name for name in table.names if _phrase(name) in _RUNS]
    for run_name in sorted(run_names, key=lambda n: -len(set(map(repr, table.column(n))))):
        runs = _group(table, run_name)
        if not 2 <= len(runs) <= len(table.rows) / _MIN_ROWS:
            continue
        for step_name in step_names:
            if all(_has_distinct_steps(rows, step_name) for rows in runs):
                return _make_histories(table, runs, run_name, step_name)
    return None


def _phrase(name: str) -> str:
    return " ".join(split_words(name))


def _group(table: Table, run_name: str) -> list[list[Mapping[str, Setting]]]:
    groups: dict[str, list[Mapping[str, Setting]]] = {}
    for row in table.rows:
        if run_name in row:
            groups.setdefault(repr(row[run_name]), []).append(row)
    return list(groups.values())


def _has_distinct_steps(rows: Sequence[Mapping[str, Setting]], name: str) -> bool:
    steps = [_step(row, name) for row in rows]
    return None not in steps and len(set(steps)) == len(steps)


def _step(row: Mapping[str, Setting], name: str) -> int | None:
    number = to_number(row.get(name))
    return int(number) if number is not None and float(number).is_integer() else None


def _make_histories(
    table: Table, runs: Sequence[Sequence[Mapping[str, Setting]]], run_name: str, step_name: str
) -> Histories:
    ordered = [sorted(rows, key=lambda row: _step(row, step_name) or 0) for rows in runs]
    changing = frozenset(
        name
        for name in table.names
        if any(len({repr(row[name]) for row in rows if name in row}) > 1 for rows in ordered)
    )
    last = tuple({name: value for row in rows for name, value in row.items()} for rows in ordered)
    grouped = sum(map(len, runs))
    notes = (*table.notes, f"its rows are steps ({step_name}) of {len(runs)} runs ({run_name})")
    left_out = list(table.left_out)
    if lacking := len(table.rows) - grouped:
        left_out.append(f"{count(lacking, 'row')} without a {run_name}")
    curves = tuple(
        {name: _curve(rows, name, step_name) for name in changing - {step_name}} for rows in ordered
    )
    flat = replace(table, rows=last, notes=notes, left_out=tuple(left_out))
    return Histories(flat, changing, curves)


def _curve(rows: Sequence[Mapping[str, Setting]], name: str, step_name: str) -> Mapping[int, float]:
    points = ((_step(row, step_name), to_number(row.get(name))) for row in rows)
    return {s: float(value) for s, value in points if s is not None and value is not None}
