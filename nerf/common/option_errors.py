"""What is wrong with an option's value, and the way out, in place of argparse's words."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Iterable

from nerf.common.errors import closest

_REQUIRED = "the following arguments are required: "


def read_whole_number(text: str) -> int:
    """The `type` of an option that is an integer."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be a whole number such as 10, got {text!r}"
        ) from None


def read_number(text: str) -> float:
    """The `type` of an option that is a number, other than NaN."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isnan(number):
        raise argparse.ArgumentTypeError(f"must be a number such as 0.5, got {text!r}")
    return number


def explain_error(error: argparse.ArgumentError, actions: Iterable[argparse.Action]) -> str:
    """The mistake and the fix, such as `--tool must be one of a, b; got 'c'`."""
    name, message = error.argument_name or "", error.message
    if not name:
        return explain_message(message)
    action = next(
        (a for a in actions if name in ("/".join(a.option_strings), a.metavar, a.dest)), None
    )
    choices = [str(choice) for choice in (action.choices if action else None) or ()]
    if choices and (found := re.match(r"invalid choice: '?(.*?)'? \(", message)):
        hint = closest(found[1], choices)
        return f"{name} must be one of {', '.join(choices)}; got {found[1]!r}{hint}"
    if message.startswith("expected"):
        value = (action and action.metavar) or "VALUE"
        return f"{name} needs a value: {name} {value} (--help says which)"
    if found := re.match("ignored explicit argument (.*)", message):
        return f"{name} takes no value, got {found[1]}; write {name} alone"
    return f"{name} {message}" if message.startswith(("must", "needs")) else f"{name}: {message}"


def explain_message(message: str) -> str:
    """The same of an error that names no option by itself."""
    if message.startswith(_REQUIRED):
        missing = message.removeprefix(_REQUIRED)
        return f"{missing} is missing; --help shows what this command needs"
    return message
