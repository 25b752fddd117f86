"""Reads CSV, TSV and their relatives: encoding, separator, rows, and columns of values."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.external.cells import has_decimal_comma, parse_column, parse_number
from analysis.external.counts import count
from analysis.external.headings import split_headings
from analysis.external.summary_rows import split_summaries
from analysis.external.sweep import Setting
from analysis.external.table import Table
from nerf.common.errors import InputError

if TYPE_CHECKING:
    from _csv import Reader

_SEPARATORS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}
_SNIFFED_ROWS = 200
_MAX_CELL = 10_000_000  # characters


def read_text_table(path: Path, data: bytes) -> Table:
    """The table in the bytes of a text file; raises `InputError` if they are none.

    The first row is the heading. Comments above it, a second heading below it, repeated headings,
    rows of means or totals, and rows with another number of cells are left out and counted.
    """
    text, encoding = decode(data)
    if "\0" in text:
        raise InputError(f"{path} is binary; name a table (CSV, TSV, Parquet, JSON)")
    text, comments = _drop_comments(text)
    separator = _sniff_separator(text)
    try:
        rows = _read_rows(path, text, separator)
    except csv.Error as error:
        raise InputError(f"{path} is not a table of text ({error}); export it again") from None
    if not rows:
        raise InputError(f"{path} is empty; name a table with a heading and a row for each run")
    heading, body, left_out = split_headings(rows)
    names, notes = _name_columns(heading)
    if len(names) < 2:
        raise InputError(
            f"{path} has a single column, {names[0][:40]!r}; name a table with columns separated "
            "by commas, tabs or semicolons"
        )
    whole, summaries = split_summaries([row for row in body if len(row) == len(names)])
    left_out += [*comments, *_count_ragged(path, body, len(names)), *summaries]
    if encoding:
        notes.append(f"read as {encoding}, since it is not UTF-8")
    if separator != "," and not (separator == "\t" and path.suffix.lower() == ".tsv"):
        notes.append(f"its columns are separated by {_SEPARATORS[separator]}")
    return _make_table(names, whole, separator, notes, left_out)


def _drop_comments(text: str) -> tuple[str, list[str]]:
    """The text without the lines of comments above its heading, and how many there were.

    The last of them is the heading itself, such as `# lr, acc`, where numbers follow at once.
    """
    lines = text.splitlines(keepends=True)
    comments = next((i for i, line in enumerate(lines) if not line.startswith("#")), 0)
    cells = re.split(r"[,;\t|]", lines[comments]) if comments else []
    if any(parse_number(cell.strip()) is not None for cell in cells):
        comments -= 1
    if not comments:
        return text, []
    return "".join(lines[comments:]), [f"{count(comments, 'line')} of comments above the heading"]


def decode(data: bytes) -> tuple[str, str]:
    """The text in bytes, and the name of its encoding if that is not UTF-8."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace"), "UTF-16"
    for encoding, zeros in (("utf-16-le", data[1:200:2]), ("utf-16-be", data[0:200:2])):
        if len(zeros) > 1 and not any(zeros):  # the high bytes of plain Latin letters
            return data.decode(encoding, errors="replace"), "UTF-16"
    try:
        return data.decode("utf-8-sig"), ""
    except UnicodeDecodeError:
        return data.decode("latin-1"), "Latin-1"


def _read_rows(path: Path, text: str, separator: str) -> list[list[str]]:
    """All rows that are not empty; raises `InputError` for a quote that is never closed."""
    reader = _split(text, separator)
    rows, first_line = [], 1
    for row in reader:
        if reader.line_num > first_line and text.count('"') % 2 and _is_last(reader, text):
            raise InputError(
                f'{path}: a quote (") in line {first_line} is never closed; close it, or export '
                "the table again"
            )
        first_line = reader.line_num + 1
        if any(cell.strip() for cell in row):
            rows.append(row)
    return rows


def _is_last(reader: Reader, text: str) -> bool:
    return reader.line_num >= len(text.splitlines())


def _count_ragged(path: Path, rows: Sequence[Sequence[str]], cells: int) -> list[str]:
    """How many rows have fewer or more cells than the heading; `InputError` if all have."""
    shorter = sum(len(row) < cells for row in rows)
    longer = sum(len(row) > cells for row in rows)
    if rows and shorter + longer == len(rows):
        raise InputError(
            f"{path}: its heading has {cells} cells, and its first row {len(rows[0])}; give every "
            "column a heading and every row as many cells"
        )
    counts = ((shorter, "fewer"), (longer, "more"))
    return [
        f"{count(n, 'row')} with {word} cells than the heading's {cells}" for n, word in counts if n
    ]


def _split(text: str, separator: str) -> Reader:
    csv.field_size_limit(_MAX_CELL)
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator)


def _sniff_separator(text: str) -> str:
    """The separator with which most of the first rows have as many cells as the heading."""

    def agreement(separator: str) -> float:
        rows = []
        try:
            for row in _split(text, separator):
                if row:
                    rows.append(len(row))
                if len(rows) > _SNIFFED_ROWS:
                    break
        except csv.Error:
            return 0.0
        if not rows or rows[0] < 2:
            return 0.0
        return sum(count == rows[0] for count in rows) / len(rows)

    return max(_SEPARATORS, key=agreement)  # the first of equals


def _name_columns(heading: Sequence[str]) -> tuple[list[str], list[str]]:
    """A distinct name for each column, and notes on those that had none of their own."""
    names: list[str] = []
    notes = []
    counts = Counter(cell.strip() for cell in heading)
    seen: Counter[str] = Counter()
    for place, cell in enumerate(heading, start=1):
        name = cell.strip() or f"column {place}"
        seen[name] += 1
        while seen[name] > 1 and name in names:
            name = f"{cell.strip()} ({seen[cell.strip()]})"
            seen[name] += 1
        names.append(name)
    for name, times in counts.items():
        if name and times > 1:
            notes.append(f"{times} columns are named {name}; the later ones are read as {name} (2)")
    return names, notes


def _make_table(
    names: Sequence[str],
    rows: Sequence[Sequence[str]],
    separator: str,
    notes: list[str],
    left_out: Sequence[str],
) -> Table:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    decimal_comma = separator != "," and any(map(has_decimal_comma, columns))
    if decimal_comma:
        notes.append("a comma is its decimal point")
    records: list[dict[str, Setting]] = [{} for _ in rows]
    for name, cells in zip(names, columns, strict=True):
        parsed = parse_column(cells, decimal_comma)
        if parsed.note:
            notes.append(f"{name}: {parsed.note}")
        for row, value in parsed.values.items():
            records[row][name] = value
    return Table("CSV", tuple(names), tuple(records), tuple(notes), tuple(left_out))
