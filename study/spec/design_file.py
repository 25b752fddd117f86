"""A design in a CSV file: a row for each configuration, a column for each parameter.

    name,encoding.kind,encoding.position_frequencies,field.depth
    complete,frequency,10,4
    shallow,frequency,10,2
    no encoding,none,,4

Rows are variants of a study (`variants.py`): each is run `--repeats` times. The column `name` may
be missing. Parameters without a column, and those of empty cells, have the value that the study
fixes, or their default.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from nerf.common.errors import InputError
from nerf.config.parameters import Value
from study.spec.parse_space import format_value
from study.spec.variants import Variant
from study.trainers.parameter_set import ParameterSet, get_parameter

NAME = "name"
"""The column with the names of rows, unless a parameter is called so."""

_MAX_NAMED = 3  # parameters whose values make the name of a row without one

Row = dict[str, Value]


def is_design_file(design: str) -> bool:
    """Whether `--design` names a file, not one of `DESIGNS`."""
    return design.lower().endswith(".csv")


def read_design(file: Path, parameters: ParameterSet) -> tuple[Variant, ...]:
    """The rows of a CSV file as variants; raises `InputError` with file and line."""
    header, lines = _read_cells(file)
    has_names = NAME in header and NAME not in parameters.by_path
    paths = [path for path in header if not (has_names and path == NAME)]
    _check_header(file, header, paths, parameters)
    rows, names = [], []
    for line, cells in lines:
        by_column = dict(zip(header, cells, strict=True))
        rows.append(_read_row(f"{file}, line {line}", by_column, paths, parameters))
        if rows[-1] in rows[:-1]:
            first = lines[rows.index(rows[-1])][0]
            raise InputError(
                f"{file}: lines {first} and {line} are equal, and equal seeds would give equal "
                "runs; remove one (--repeats R runs each row with R seeds)"
            )
        names.append(by_column[NAME].strip() if has_names else "")
    names = names if has_names else _name_rows(rows)
    for (line, _), name in zip(lines, names, strict=True):
        if not name or names.count(name) > 1:
            why = f"the name {name!r} is there twice" if name else "the name is empty"
            raise InputError(f"{file}, line {line}: {why}; give each row its own")
    return tuple(Variant(n, tuple(row.items())) for n, row in zip(names, rows, strict=True))


def _read_cells(file: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header, and the cells of each other line with its number; without empty lines."""
    try:
        text = file.read_text(encoding="utf-8-sig")  # Excel begins a file with a byte-order mark
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise InputError(f"{file} is not UTF-8 text; save it as CSV UTF-8") from None
    first = text.partition("\n")[0]
    for sign, name in ((";", "semicolons"), ("\t", "tabs")):
        if sign in first and "," not in first:
            raise InputError(
                f"{file} has {name} between its cells; write commas there, and numbers like 0.5"
            )
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, skipinitialspace=True)
    lines: list[tuple[int, list[str]]] = []
    try:
        lines.extend((reader.line_num, row) for row in reader if any(map(str.strip, row)))
    except csv.Error as error:
        raise InputError(f"{file}, line {reader.line_num}: {error}") from None
    if len(lines) < 2:
        raise InputError(
            f"{file} holds no rows; write a line of parameters, then one for each configuration"
        )
    header = [cell.strip() for cell in lines[0][1]]
    for line, cells in lines[1:]:
        if len(cells) != len(header):
            hint = "; numbers take a point, as 0.5" if len(cells) > len(header) else ""
            raise InputError(
                f"{file}, line {line} has {len(cells)} cells, the first line {len(header)}{hint}"
            )
    return header, lines[1:]


def _check_header(
    file: Path, header: Sequence[str], paths: Sequence[str], parameters: ParameterSet
) -> None:
    if not paths:
        raise InputError(f"{file} has no column with a parameter; --help lists them all")
    for path in paths:
        if header.count(path) > 1:
            raise InputError(f"{file}: the column {path} is there twice; remove one")
        if path in parameters.not_varied:
            own = "--repeats gives rows their seeds" if path == "seed" else "it is the same for all"
            raise InputError(f"{file}: {path} cannot be a column; {own}")
        try:
            get_parameter(path, parameters)
        except InputError as error:
            raise InputError(f"{file}: {error}") from None


def _read_row(
    where: str, cells: dict[str, str], paths: Sequence[str], parameters: ParameterSet
) -> Row:
    row: Row = {}
    for path in paths:
        text = cells[path].strip()
        if not text:
            continue
        try:
            value = get_parameter(path, parameters).parse(text)
        except InputError as error:
            hint = "; write a point" if "," in text else ""
            raise InputError(f"{where}: {error}{hint}") from None
        if isinstance(value, float) and not math.isfinite(value):
            raise InputError(f"{where}: {path} must be a finite number, got {text}")
        row[path] = value
    return row


def _name_rows(rows: Sequence[Row]) -> list[str]:
    """A name for each row: its values of the parameters that differ, if these are few."""
    paths = dict.fromkeys(path for row in rows for path in row)
    differ = [path for path in paths if len({row.get(path) for row in rows}) > 1]
    if not 0 < len(differ) <= _MAX_NAMED:
        return [f"row {number}" for number, _ in enumerate(rows, start=1)]
    short = {path: path.rpartition(".")[2] for path in differ}
    if len(set(short.values())) < len(differ):
        short = dict(zip(differ, differ, strict=True))
    return [_name_row(row, short) or f"row {number}" for number, row in enumerate(rows, start=1)]


def _name_row(row: Row, names: Mapping[str, str]) -> str:
    """Its values of the parameters that have a name; empty if it has none of them."""
    return ", ".join(f"{names[path]} {format_value(row[path])}" for path in names if path in row)
