"""What a case is: an input of another tool, how it is given to the report, and what is true."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Truth:
    """What is true of an input.

    shares: parameter -> its share of the metric's variance over the prior, with interactions; over
        the range seen where an input shows a part of the prior alone
    dead: parameters without any effect, and columns that are no parameters
    unknown: parameters of which the input cannot show how large their effects are
    best: the metric of the best trial
    completed: how many trials completed
    refusal: what a refusal must contain, a regular expression; empty if there is an answer
    warning: what the terminal or the claims must contain, a regular expression
    untrue: what neither may contain, a regular expression
    ranking_needed: the shares can be estimated, so that no ranking is no right answer
    """

    shares: Mapping[str, float] = field(default_factory=dict)
    dead: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    best: float | None = None
    completed: int | None = None
    refusal: str = ""
    warning: str = ""
    untrue: str = ""
    ranking_needed: bool = True

    def __str__(self) -> str:
        if self.refusal:
            return "to be refused"
        shares = [f"{name} {100 * share:.0f}" for name, share in self.shares.items()]
        parts = [", ".join(shares)] if shares else []
        if self.dead:
            parts.append(f"no effect: {', '.join(self.dead)}")
        if self.unknown:
            parts.append(f"cannot be known: {', '.join(self.unknown)}")
        if self.best is not None:
            parts.append(f"best {self.best:.4g}")
        if self.completed is not None:
            parts.append(f"{self.completed} completed")
        return "; ".join(parts)


Write = Callable[[Path], tuple[Path, Truth]]
"""Writes an input into an empty folder; returns the path for the report, and the truth."""


@dataclass(frozen=True)
class Case:
    """An input of another tool.

    name, about: for a reader
    options: what a user adds after the report's questions
    old_options: the same for a report of before issue 15, which had fewer options
    """

    name: str
    about: str
    write: Write
    options: tuple[str, ...]
    old_options: tuple[str, ...]


CASES: list[Case] = []
"""All cases, in the order in which their modules are imported."""


def case(options: str = "", old_options: str | None = None) -> Callable[[Write], Write]:
    """Adds the decorated function to `CASES`: its name and the first line of its docstring.

    old_options: where they differ from `options`
    """

    def add(write: Write) -> Write:
        about = (write.__doc__ or "").strip().split("\n")[0].removesuffix(".")
        old = options if old_options is None else old_options
        name = write.__name__.replace("_", " ")
        CASES.append(Case(name, about, write, tuple(shlex.split(options)), tuple(shlex.split(old))))
        return write

    return add
