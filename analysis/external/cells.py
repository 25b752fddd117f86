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
_DOTTED = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d+)?", re.ASCII)
_SPACED = re.compile(r"[+-]?\d{1,3}([ \u00a0\u202f'\u2019]\d{3})+([.,]\d+)?", re.ASCII)
_MEASURE = re.compile(r"([+-]?\d+(?:[.,]\d+)?) *([A-Za-zµμ°/]+)", re.ASCII)
_MIN_NUMBERS = 20  # in a column of which one other cell is a slip, not a value
_LARGEST_FRACTION = 1.5  # of a column of shares of 1; percentages exceed it
READ_AS_TEXT = "read as text"
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
    cells, `-` and `N/A` are no values, nor is a single word among many numbers. `NaN` is a number.
    """
    stripped = {row: cell.strip() for row, cell in enumerate(cells)}
    texts = {row: cell for row, cell in stripped.items() if cell.lower() not in MISSING}
    nones = {row: None for row, cell in texts.items() if cell.lower() in _NONE}
    rest = {row: cell for row, cell in texts.items() if row not in nones}
    slip = _find_slip(rest, decimal_comma)
    if slip is not None:
        word = rest.pop(slip)
        del texts[slip]
    values, note = _parse_alike(rest, decimal_comma)
    if slip is not None:
        about_slip = f"{word[:40]!r} in row {slip + 1} is no number, and is read as missing"
        note = f"{note}; {about_slip}" if note else about_slip
    return ParsedColumn({row: values.get(row) for row in texts}, note)


def _find_slip(texts: Mapping[int, str], decimal_comma: bool) -> int | None:
    """The row of the only cell without a digit, where all others are numbers."""
    words = [row for row, text in texts.items() if not any(c.isdigit() for c in text)]
    words = [row for row in words if parse_number(texts[row]) is None]
    if len(words) != 1 or len(texts) <= _MIN_NUMBERS:
        return None
    others = {text for row, text in texts.items() if row != words[0]}
    rewritten, _ = _rewrite(others, decimal_comma)
    are_numbers = all(parse_number(plain) is not None for plain in rewritten.values())
    return words[0] if are_numbers else None


def has_decimal_comma(cells: Iterable[str]) -> bool:
    """Whether a column has numbers such as 0,53, of which the comma cannot group thousands.

    Dots may group them instead, as in 1.234,5.
    """
    texts = [cell.strip() for cell in cells if cell.strip().lower() not in MISSING]
    if any(_DOTTED.fullmatch(text) and "," in text for text in texts):
        texts = [text.replace(".", "") if _DOTTED.fullmatch(text) else text for text in texts]
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


def spell_value(value: Setting) -> str:
    """A value as people write it: 20 for 20.0."""
    return f"{value:g}" if isinstance(value, float) else str(value)


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
    if percentages:
        return _rewrite_percentages(texts, percentages, decimal_comma)
    measures = [_MEASURE.fullmatch(text) for text in texts]
    units = {measure[2] if measure else "" for measure in measures}
    if len(texts) > 1 and len(units) == 1 and "" not in units:
        bare = {measure[0]: measure[1] for measure in measures if measure}
        plain, _ = _rewrite(set(bare.values()), decimal_comma)
        return {text: plain[number] for text, number in bare.items()}, f"in {units.pop()}"
    spaced = {text for text in texts if _SPACED.fullmatch(text)}
    if spaced:
        bare = {t: re.sub(r"[^0-9.,+-]", "", t) if t in spaced else t for t in texts}
        plain, _ = _rewrite(set(bare.values()), decimal_comma)
        mark = "apostrophes" if any(set(text) & {"'", "\u2019"} for text in spaced) else "spaces"
        return {text: plain[number] for text, number in bare.items()}, f"{mark} group thousands"
    if dotted := _rewrite_dotted(texts, decimal_comma):
        shown = next(text for text in sorted(texts) if "." in text)
        return dotted, f"dots group thousands, so that {shown} is {dotted[shown]}"
    if decimal_comma and not any("." in text for text in texts):
        return {text: text.replace(",", ".") for text in texts}, ""
    grouped = {text for text in texts if "," in text and _GROUPED.fullmatch(text)}
    alike = all(text in grouped or parse_number(text) is not None for text in texts)
    if not grouped or not alike or any(text.lstrip("+-").startswith("0,") for text in grouped):
        return {text: text for text in texts}, ""
    shown = min(grouped)
    rewritten = {text: text.replace(",", "") for text in texts}
    return rewritten, f"commas group thousands, so that {shown} is {rewritten[shown]}"


def _rewrite_dotted(texts: set[str], decimal_comma: bool) -> dict[str, str] | None:
    """Numbers such as 1.234.567,8 without their dots; None where dots are decimal points.

    A single dot groups thousands only in a table of decimal commas, and if none stands elsewhere.
    """
    dotted = {text for text in texts if "." in text}
    sure = decimal_comma or any(text.count(".") > 1 for text in dotted)
    if not dotted or not sure or not all(map(_DOTTED.fullmatch, dotted)):
        return None
    return {text: text.replace(".", "").replace(",", ".") for text in texts}


def _rewrite_percentages(
    texts: set[str], percentages: set[str], decimal_comma: bool
) -> tuple[dict[str, str], str]:
    """Percentages, and numbers without the sign: fractions if none is much larger than 1."""
    bare = {text: text.removesuffix("%").rstrip() for text in texts}
    plain, _ = _rewrite(set(bare.values()), decimal_comma)
    rewritten = {text: plain[number] for text, number in bare.items()}
    without = [parse_number(rewritten[text]) for text in texts - percentages]
    numbers = [abs(number) for number in without if number is not None and math.isfinite(number)]
    if not numbers:
        shown = min(rewritten[text] for text in percentages)
        return rewritten, f"percentages, read as numbers such as {shown}"
    if max(numbers) > _LARGEST_FRACTION:
        return rewritten, "some have a % sign and some have not, all read as percentages"
    for text in percentages:
        number = parse_number(rewritten[text])
        if number is not None:
            rewritten[text] = repr(number / 100)
    return rewritten, "percentages beside fractions, all read as fractions of 1"


def _explain_text(texts: set[str]) -> str:
    """Why a column that looks like numbers stays text; empty if it does not."""
    numbers = sorted(text for text in texts if parse_number(text) is not None)
    if len(numbers) > len(texts) / 2:
        other = min(texts - set(numbers))
        return f"{READ_AS_TEXT}, since {other[:40]!r} is no number"
    return ""
