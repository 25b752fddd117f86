"""When a study has explored enough: the claim that it is to settle, and at which sizes it looks.

`--until-sure 0.1` is the rule `sure 0.1`. Whether a rule is met is decided in
`analysis/findings/settle.py`, by all trials that a study has explored.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from nerf.common.errors import InputError, closest

RuleKind = Literal["sure", "order", "breaks", "matters"]

MAX_EXPLORE = 256
"""Trials that such a study explores at most, unless another number is given."""

FIRST_LOOK = 32
"""Explored trials of the first look, below which no share is estimated."""

_STEP = 16

_FORMS = "a margin such as 'sure 0.1', 'order', 'PATH breaks' or 'PATH matters'"


@dataclass(frozen=True)
class StoppingRule:
    """What is to be settled.

    sure: the intervals of the three highest shares reach no further than `margin` to either side
    order: which three parameters have the highest shares, and in which order
    breaks: that `path` decides which runs break
    matters: whether `path` has a share
    """

    kind: RuleKind
    margin: float = 0.0
    path: str = ""

    @staticmethod
    def parse(text: str) -> StoppingRule:
        """Reads what `--until` names; raises `InputError`."""
        words = text.split()
        if words == ["order"]:
            return StoppingRule("order")
        if len(words) == 2 and words[0] == "sure":
            return StoppingRule("sure", margin=_parse_margin(words[1]))
        if len(words) == 2 and words[1] in ("breaks", "matters"):
            return StoppingRule("breaks" if words[1] == "breaks" else "matters", path=words[0])
        hint = closest(words[-1], list(get_args(RuleKind))) if words else ""
        raise InputError(f"--until must be {_FORMS}, got {text!r}{hint}")

    @property
    def text(self) -> str:
        """The rule as `parse` reads it, always in the same form."""
        if self.kind == "order":
            return "order"
        return f"sure {self.margin:g}" if self.kind == "sure" else f"{self.path} {self.kind}"

    def describe(self) -> str:
        """The rule as the end of "until"."""
        if self.kind == "sure":
            return f"the highest shares are known to +- {self.margin:g}"
        if self.kind == "order":
            return "the order of the highest shares is certain"
        if self.kind == "breaks":
            return f"{self.path} is shown to decide which runs break"
        return f"{self.path} is shown to matter or not to"


def _parse_margin(text: str) -> float:
    try:
        margin = float(text)
    except ValueError:
        margin = math.nan
    if not 0.0 < margin < 0.5:
        raise InputError(
            f"--until-sure must be a margin above 0 and below 0.5, a part of the variance, got "
            f"{text}"
        )
    return margin


def list_looks(most: int, first: int = FIRST_LOOK) -> list[int]:
    """The numbers of explored trials at which a study looks, the last of them `most`.

    A quarter further each time, in steps of 16, so that few looks find the size that is needed.
    """
    sizes, size = [], first
    while size < most:
        sizes.append(size)
        size += max(size // 4 // _STEP, 1) * _STEP
    return [*sizes, most]
