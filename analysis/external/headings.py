"""Finds the heading of a text table: one row, two, or one that comes again further down."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.external.cells import MISSING, parse_number
from analysis.external.counts import count

_MIN_NUMBERS = 0.9  # of the other rows, in a column that a second heading interrupts
_MAX_SHOWN = 6
_ROWS_TO_LOOK_AT = 200


def split_headings(
    rows: Sequence[Sequence[str]],
) -> tuple[list[str], list[Sequence[str]], list[str]]:
    """The heading, the rows of runs, and sentences on the headings among these.

    A second row of names, levels or units is recognised by its words in columns of numbers. Where
    the first row repeats names, as pandas does for columns of two levels, both make the heading.
    """
    heading, *rest = rows
    body = [row for row in rest if list(row) != list(heading)]
    left_out = []
    if repeated := len(rest) - len(body):
        left_out.append(f"{count(repeated, 'row')} that repeat{'s' * (repeated == 1)} the heading")
    if not _is_heading(body):
        return list(heading), body, left_out
    second = body[0]
    shown = ", ".join(cell.strip() for cell in second[:_MAX_SHOWN])
    left_out.append(f"a second row of headings ({shown})")
    named = [cell.strip() for cell in heading if cell.strip()]
    if len(set(named)) < len(named) and len(second) == len(heading):
        pairs = zip(heading, second, strict=True)
        return [" ".join(f"{a} {b}".split()) for a, b in pairs], body[1:], left_out
    return list(heading), body[1:], left_out


def _is_heading(body: Sequence[Sequence[str]]) -> bool:
    """Whether the first row has words, and no number, in all columns of numbers below it."""
    if len(body) < 3:
        return False
    first, below = body[0], body[1:_ROWS_TO_LOOK_AT]
    of_numbers = [
        place
        for place in range(len(first))
        if _share_of_numbers([row[place] for row in below if len(row) == len(first)])
        >= _MIN_NUMBERS
    ]
    cells = [first[place].strip() for place in of_numbers]
    words = [cell for cell in cells if cell.lower() not in MISSING and not _is_number(cell)]
    return len(words) >= 2 and not any(map(_is_number, cells))


def _share_of_numbers(cells: Sequence[str]) -> float:
    filled = [cell for cell in cells if cell.strip().lower() not in MISSING]
    return sum(map(_is_number, filled)) / len(filled) if filled else 0.0


def _is_number(cell: str) -> bool:
    return parse_number(cell.strip().removesuffix("%").replace(",", ".", 1)) is not None
