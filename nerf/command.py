"""What the commands share: one-line errors with status 2, and the list of parameters."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import NoReturn

from nerf.errors import InputError, closest
from nerf.parameters import Parameter, parameters

SETTING_HELP = "give a parameter another value (repeatable); the list is below"


class Parser(argparse.ArgumentParser):
    """argparse whose errors are one line naming the mistake and the nearest option."""

    def __init__(self, description: str, epilog: str = "") -> None:
        super().__init__(
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}{self._hint(message)} (--help lists every option)")

    def _hint(self, message: str) -> str:
        known = [option for action in self._actions for option in action.option_strings]
        if not message.startswith("unrecognized arguments:"):
            return ""
        return closest(message.split(":", 1)[1].split()[0].split("=")[0], known)


def run_command(main: Callable[[], int | None]) -> NoReturn:
    """Runs a command to its exit status: 2 and one line for a user's mistake, no traceback."""
    try:
        status = main() or 0
    except InputError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        status = 2
    except BrokenPipeError:
        status = 1
    sys.exit(status)


def describe_parameters() -> str:
    """Every parameter with its default, the values it may take and what it means."""
    lines = ["parameters (for --set PATH=VALUE; a study may vary those with a range or choices):"]
    for p in parameters().values():
        lines.append(f"  {p.path} = {_text(p.default)}   [{_values(p)}]")
        lines.append(f"      {' '.join(p.doc.split())}")
    return "\n".join(lines)


def _values(parameter: Parameter) -> str:
    if parameter.choices:
        return " | ".join(_text(choice) for choice in parameter.choices)
    return str(parameter.domain) if parameter.domain else "fixed within a study"


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
