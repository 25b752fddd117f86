"""The results in a program's output: JSON lines such as `{"step": 100, "psnr": 21.3}`."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_MAX_SHOWN = 80
_NOT_IN_NAMES = re.compile(r"\W")
_TERMINAL_SEQUENCE = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?)")
"""Such as colours, and the title of a window."""


@dataclass(frozen=True)
class Result:
    """What a line says."""

    step: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    image: str = ""
    """Path of an image file."""
    fail: str = ""
    """Why the trial cannot learn any more."""


class LeftOut:
    """What was not understood: kinds of it, how often, and the first example of each."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._examples: dict[str, str] = {}

    def add(self, kind: str, example: object) -> None:
        self._counts[kind] += 1
        shown = to_plain(str(example))
        self._examples.setdefault(kind, shown[:_MAX_SHOWN] + "..." * (len(shown) > _MAX_SHOWN))

    def __str__(self) -> str:
        """`2 x a line that is not complete JSON, such as {"step"`; empty if all was understood."""
        parts = [
            f"{count} x {kind}, such as {self._examples[kind]}"
            for kind, count in self._counts.items()
        ]
        return "; ".join(parts)


class ResultReader:
    """Reads results from lines of text; `left_out` has what only looks like one."""

    def __init__(self, metrics: Collection[str]) -> None:
        """metrics: the study's; a line that has one of them is meant as a result"""
        self.left_out = LeftOut()
        self._metrics = set(metrics)

    def read(self, text: str) -> Result | None:
        """The result in a line; None where it is other output."""
        line = text.strip()
        if not line.startswith("{"):
            return None
        try:
            data = json.loads(line)
        except (ValueError, RecursionError):
            self.left_out.add("a line that is not complete JSON", line)
            return None
        if not data.keys() & {"step", "image", "fail"}:
            if self._metrics & data.keys():
                self.left_out.add('a line without "step"', line)
            return None
        step = _whole_number(data.pop("step", None))
        image, fail = data.pop("image", ""), data.pop("fail", "")
        if not isinstance(image, str) or not isinstance(fail, str):
            self.left_out.add("a line whose image or fail is not text", line)
            return None
        if step is None and not (image or fail):
            self.left_out.add("a line whose step is not a whole number", line)
            return None
        return Result(step, dict(self._numbers(data)), image, to_plain(fail))

    def _numbers(self, data: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
        for name, value in data.items():
            clean = _NOT_IN_NAMES.sub("_", name)
            if value is None:  # not a number, in JSON that has no word for it
                yield clean, math.nan
            elif isinstance(value, int | float) and not isinstance(value, bool) and clean:
                yield clean, _as_float(value)
            else:
                self.left_out.add("a figure that is not a number", f"{name}: {json.dumps(value)}")


def _whole_number(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return None
    return int(value) if abs(value) < 1e15 and value == int(value) else None


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # of a whole number with hundreds of digits
        return math.copysign(math.inf, value)


def to_plain(text: str) -> str:
    """The text without what steers a terminal; U+FFFD for others that cannot be seen."""
    text = " ".join(_TERMINAL_SEQUENCE.sub("", text).split())
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def as_text(line: bytes) -> str:
    """The line as a terminal shows it: what follows the last carriage return."""
    return line.rstrip(b"\r").rpartition(b"\r")[2].decode("utf-8", errors="replace")
