"""Reads tables of records: JSON, JSON lines and Parquet; nested objects become dotted columns."""

from __future__ import annotations

import ast
import datetime
import decimal
import io
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from analysis.external.cells import MAX_EXACT
from analysis.external.counts import count
from analysis.external.sweep import Setting
from analysis.external.table import Table
from nerf.common.errors import InputError

_CONFIG = ("config", "params", "parameters", "hparams", "hyperparameters")
_SUMMARY = ("summary", "metrics", "results", "result", "values")
_BARE = re.compile(r"(?<=[:\[,(] )(-?)(nan|inf)\b")
_MAX_DEPTH = 20


def read_json_table(path: Path, text: str) -> Table:
    """The table in a JSON or JSON lines text.

    It is a list of records, one record a line, or an object of runs or of columns. Raises
    `InputError` for anything else.
    """
    try:
        document = json.loads(text)
    except RecursionError:
        raise InputError(f"{path} is nested too deeply; name a list of records") from None
    except ValueError as error:
        return _read_lines(path, text, error)
    return make_record_table("JSON", list(_find_records(path, document)))


def read_parquet_table(path: Path, data: bytes) -> Table:
    """The table in the bytes of a Parquet file; raises `InputError` if they are damaged."""
    import pyarrow
    import pyarrow.parquet

    try:
        records = pyarrow.parquet.read_table(io.BytesIO(data)).to_pylist()
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError) as error:
        reason = str(error).strip().split("\n")[0]
        raise InputError(f"{path} is a damaged Parquet file ({reason}); export it again") from None
    present = [{k: v for k, v in record.items() if v is not None} for record in records]
    return make_record_table("Parquet", present)


def make_record_table(
    kind: str,
    records: Iterable[Mapping[str, Any]],
    notes: Iterable[str] = (),
    left_out: Iterable[str] = (),
) -> Table:
    """A row for each record; of `config` and the like with prefix `config.`, `summary` `summary.`

    A null is no value, but in a config it is None. Names that begin with an underscore within a
    config or summary belong to W&B and are left out, without a note, but for `_runtime`.
    """
    rows = tuple(dict(_flatten_record(record)) for record in records)
    names = tuple(dict.fromkeys(name for row in rows for name in row))
    return Table(kind, names, rows, tuple(notes), tuple(left_out))


def expand_objects(table: Table) -> Table:
    """The table with columns `config` and `summary` of objects as text taken apart.

    W&B's own example of an export writes them as Python's `{'lr': 0.1}`. The `params` of
    scikit-learn's results, which has a column for each of them as well, stays as it is.
    """
    if any(name.startswith("param_") for name in table.names):
        return table
    found = [
        name
        for name in table.names
        if name.lower() in (*_CONFIG, *_SUMMARY)
        and any(isinstance(v, str) and v.startswith("{") for v in table.column(name))
    ]
    if not found:
        return table
    left_out, records = list(table.left_out), []
    for name in found:
        broken = sum(_parse_object(value) is None for value in table.column(name))
        if broken:
            left_out.append(f"{name}: {count(broken, 'cell')} without an object")
    for row in table.rows:
        objects = {name: _parse_object(row[name]) or {} for name in found if name in row}
        records.append({**row, **objects})
    return make_record_table(table.kind, records, table.notes, left_out)


def _parse_object(text: Setting) -> dict[str, Any] | None:
    if not isinstance(text, str):
        return None
    try:
        parsed = json.loads(text)
    except RecursionError:
        return None
    except ValueError:
        try:
            parsed = ast.literal_eval(_BARE.sub(r"'\1\2'", text))
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            return None
    return parsed if isinstance(parsed, dict) else None


def _read_lines(path: Path, text: str, error: ValueError) -> Table:
    """Of JSON lines; a line that is cut off or no record is left out and counted."""
    records, broken = [], 0
    for line in text.splitlines():
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        if isinstance(record, dict):
            records.append(record)
        else:
            broken += 1
    if not records or broken > len(records):
        raise InputError(f"{path} is not JSON ({error}), nor JSON lines; export it again")
    left_out = [f"{count(broken, 'line')} without a JSON object"] if broken else []
    return make_record_table("JSON", records, left_out=left_out)


def _find_records(path: Path, document: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(document, dict):
        document = _unwrap(document)
    if not isinstance(document, list) or not all(isinstance(r, dict) for r in document):
        raise InputError(f"{path} is JSON, but no list of records; name a list of objects")
    yield from document


def _unwrap(document: Mapping[str, Any]) -> Any:
    """The list of records in an object of one of the forms that pandas and W&B write."""
    names, data = document.get("columns"), document.get("data")
    if isinstance(names, list) and isinstance(data, list):
        rows = [row for row in data if isinstance(row, list) and len(row) == len(names)]
        return [dict(zip(map(str, names), row, strict=True)) for row in rows]
    lists = [v for v in document.values() if isinstance(v, list) and v and isinstance(v[0], dict)]
    if len(lists) == 1:
        return lists[0]
    columns = {
        name: {str(place): item for place, item in enumerate(v)} if isinstance(v, list) else v
        for name, v in document.items()
    }
    if not columns or not all(isinstance(column, dict) for column in columns.values()):
        return None
    keys = next(iter(columns.values())).keys()
    if not all(key.isdecimal() for key in keys):  # an object for each run, by its name
        return [{"name": name, **record} for name, record in columns.items()]
    if any(column.keys() != keys for column in columns.values()):
        return None
    return [{name: column[key] for name, column in columns.items()} for key in keys]


def _flatten_record(record: Mapping[str, Any]) -> Iterator[tuple[str, Setting]]:
    for name, value in record.items():
        name = str(name)
        if isinstance(value, dict) and name.lower() in _CONFIG:
            yield from _flatten_within("config.", value)
        elif isinstance(value, dict) and name.lower() in _SUMMARY:
            yield from ((k, v) for k, v in _flatten_within("summary.", value) if v is not None)
        elif isinstance(value, dict):
            yield from ((k, v) for k, v in _flatten(f"{name}.", value, 1) if v is not None)
        elif value is not None:
            yield name, _to_setting(value)


def _flatten_within(prefix: str, values: Mapping[str, Any]) -> Iterator[tuple[str, Setting]]:
    own = {k: v for k, v in values.items() if not str(k).startswith("_") or k == "_runtime"}
    yield from _flatten(prefix, own, 1)


def _flatten(prefix: str, values: Mapping[str, Any], depth: int) -> Iterator[tuple[str, Setting]]:
    for key, value in values.items():
        if isinstance(value, dict) and "value" in value and value.keys() <= {"value", "desc"}:
            value = value["value"]  # as W&B writes a config
        if isinstance(value, dict) and value and depth < _MAX_DEPTH:
            yield from _flatten(f"{prefix}{key}.", value, depth + 1)
        else:
            yield f"{prefix}{key}", _to_setting(value)


def _to_setting(value: Any) -> Setting:
    """A cell's value; lists, dates and all else as their text."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int | decimal.Decimal):
        exact = isinstance(value, int) and abs(value) <= MAX_EXACT
        return value if exact else _to_float(value)  # type: ignore[return-value]
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value).encode("utf-8", "replace").decode()  # JSON may hold halves of characters


def _to_float(value: int | decimal.Decimal) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
