"""Finds rows of means and totals that a spreadsheet has above or below its runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from analysis.external.cells import parse_number
from analysis.external.counts import count

_WORDS = {
    "mean", "average", "avg", "total", "totals", "sum", "std", "std dev", "stdev", "stddev", "sd",
    "median", "min", "max", "minimum", "maximum", "count",
}  # fmt: skip
_EDGE = 8  # rows at either end in which summaries stand
_MIN_ROWS = 10
_MIN_LABELS = 0.9  # of the other cells of a column, which are numbers or names of runs


def split_summaries(
    rows: Sequence[Sequence[str]],
) -> tuple[list[Sequence[str]], list[str]]:
    """The rows of runs, and a sentence on the others.

    A summary is labelled by a word such as `mean` in a column of numbers or of distinct names.
    """
    if len(rows) < _MIN_ROWS:
        return list(rows), []
    edges = {*range(_EDGE), *range(len(rows) - _EDGE, len(rows))}
    labels: dict[int, str] = {}
    for cells in zip(*rows, strict=True):
        found = {i: w for i in edges if (w := cells[i].strip().rstrip(":").lower()) in _WORDS}
        if found and len(set(found.values())) == len(found) and _are_labels(cells, found.keys()):
            labels |= found
    if not labels:
        return list(rows), []
    words = ", ".join(labels[place] for place in sorted(labels))
    runs = [row for place, row in enumerate(rows) if place not in labels]
    return runs, [
        f"{count(len(labels), 'row')} that sum{'s' * (len(labels) == 1)} up others ({words})"
    ]


def _are_labels(cells: Sequence[str], places: Collection[int]) -> bool:
    """Whether the words at these places differ in kind from all other cells of a column."""
    others = [cell.strip() for place, cell in enumerate(cells) if place not in places]
    if len(others) < _MIN_ROWS or any(c.rstrip(":").lower() in _WORDS for c in others):
        return False
    numbers = sum(parse_number(cell.replace(",", "")) is not None for cell in others)
    distinct = sum(times == 1 for times in Counter(others).values())
    return max(numbers, distinct) >= _MIN_LABELS * len(others)
