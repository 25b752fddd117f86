"""Reads the cells of a text table as numbers, booleans or text, a whole column at a time."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from analysis.external.sweep import Setting

MISSING = {"", "-", "--", "—", "n/a", "#n/a", "na", "<na>"}
"""Cells without a value, in lower case."""
_NONE = {"none", "null"}
_NOT_A_NUMBER = {"nan", "+nan", "-nan"}
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)
MAX_EXACT = 2**53  # whole numbers above this are not exact as floats


@dataclass(frozen=True)
class ParsedColumn:
    """Row -> value, of the rows that have one, and what was not plain about them."""

    values: Mapping[int, Setting]
    note: str = ""


def parse_column(cells: Iterable[str], decimal_comma: bool) -> ParsedColumn:
    """The values of a column of texts.

    All become numbers if all are numbers, percentages or numbers with grouped thousands, and
    booleans if all are true or false; otherwise all stay text. `None` and `null` are None; empty
    cells, `-` and `N/A` are no values. `NaN` is a number.
    """
    stripped = {row: cell.strip() for row, cell in enumerate(cells)}
    texts = {row: cell for row, cell in stripped.items() if cell.lower() not in MISSING}
    nones = {row: None for row, cell in texts.items() if cell.lower() in _NONE}
    rest = {row: cell for row, cell in texts.items() if row not in nones}
    values, note = _parse_alike(rest, decimal_comma)
    return ParsedColumn({row: values.get(row) for row in texts}, note)


def has_decimal_comma(cells: Iterable[str]) -> bool:
    """Whether a column has numbers such as 0,53, of which the comma cannot group thousands."""
    texts = [cell.strip() for cell in cells if cell.strip().lower() not in MISSING]
    commas = [text for text in texts if _DECIMAL_COMMA.fullmatch(text)]
    return (
        any(not _GROUPED.fullmatch(text) or text.lstrip("+-").startswith("0") for text in commas)
        and all("." not in text for text in texts)
        and all(text in commas or parse_number(text) is not None for text in texts)
    )


def parse_number(text: str) -> float | int | None:
    """A number as programs write it, NaN and infinities among them; None for other texts."""
    if _NUMBER.fullmatch(text):
        number = float(text)
        is_whole = not any(mark in text for mark in ".eE")
        return int(text) if is_whole and abs(number) <= MAX_EXACT else number
    if text.lower() in _NOT_A_NUMBER:
        return math.nan
    if _INFINITE.fullmatch(text):
        return -math.inf if text.startswith("-") else math.inf
    return None


def to_number(value: Setting) -> float | int | None:
    """The number that a cell holds, also as text; None for others, booleans among them."""
    if isinstance(value, str):
        return parse_number(value.strip())
    return None if isinstance(value, bool) else value


def _parse_alike(
    texts: Mapping[int, str], decimal_comma: bool
) -> tuple[Mapping[int, Setting], str]:
    distinct = set(texts.values())
    if distinct and {text.lower() for text in distinct} <= {"true", "false"}:
        return {row: text.lower() == "true" for row, text in texts.items()}, ""
    rewritten, note = _rewrite(distinct, decimal_comma)
    numbers = {text: parse_number(plain) for text, plain in rewritten.items()}
    if all(number is not None for number in numbers.values()):
        return {row: numbers[text] for row, text in texts.items()}, note
    return texts, _explain_text(distinct)


def _rewrite(texts: set[str], decimal_comma: bool) -> tuple[dict[str, str], str]:
    """Text -> the number that it stands for, as a program would write it, and a note."""
    percentages = {text for text in texts if text.endswith("%")}
    if percentages and all(text.lower() in _NOT_A_NUMBER for text in texts - percentages):
        bare = {text: text.removesuffix("%").rstrip() for text in texts}
        plain, _ = _rewrite(set(bare.values()), decimal_comma)
        rewritten = {text: plain[number] for text, number in bare.items()}
        return rewritten, f"percentages, read as numbers such as {min(rewritten.values())}"
    if decimal_comma and not any("." in text for text in texts):
        return {text: text.replace(",", ".") for text in texts}, ""
    grouped = {text for text in texts if "," in text and _GROUPED.fullmatch(text)}
    if not grouped:
        return {text: text for text in texts}, ""
    # 1,234 alone may be 1.234; beside one with a second comma or a point it cannot.
    plain_thousands = any(text.count(",") > 1 or "." in text for text in texts)
    alike = all(text in grouped or parse_number(text) is not None for text in texts)
    if alike and plain_thousands:
        return {text: text.replace(",", "") for text in texts}, "commas group thousands"
    return {text: text for text in texts}, ""


def _explain_text(texts: set[str]) -> str:
    """Why a column that looks like numbers stays text; empty if it does not."""
    numbers = sorted(text for text in texts if parse_number(text) is not None)
    grouped = sorted(text for text in texts if _GROUPED.fullmatch(text))
    if grouped:
        return f"read as text, since {grouped[0]} may be {grouped[0].replace(',', '')} or a decimal"
    if len(numbers) > len(texts) / 2:
        other = min(texts - set(numbers))
        return f"read as text, since {other[:40]!r} is no number"
    return ""
