"""Writes a sample as a table, in the ways in which tools and people write them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from foreign.sample import Sample


def write_csv(
    path: Path,
    columns: Mapping[str, Sequence[Any]],
    delimiter: str = ",",
    decimal: str = ".",
    encoding: str = "utf-8",
) -> Path:
    """A file with a heading and a row for each trial; None is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        writer.writerow([_cell(value, decimal) for value in row])
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def as_columns(sample: Sample, metric: str = "accuracy", **more: Sequence[Any]) -> dict[str, Any]:
    """The parameters, `more`, and the metric last."""
    return {**sample.columns, **more, metric: sample.metric.tolist()}


def _cell(value: object, decimal: str) -> str:
    if value is None:
        return ""
    return f"{value:.17g}".replace(".", decimal) if isinstance(value, float) else str(value)
