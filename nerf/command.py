"""What the commands share: one-line errors with status 2, and the list of parameters."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Callable, Collection, Sequence
from typing import Any, NoReturn

from nerf.errors import InputError, closest
from nerf.parameters import Parameter, parameters

INTERRUPTED = 130
"""Exit status after Ctrl-C."""

INDENT = " " * 6


class Parser(argparse.ArgumentParser):
    """argparse whose errors are one line naming the mistake and the nearest option."""

    def __init__(self, description: str, epilog: str = "", **settings: Any) -> None:
        super().__init__(
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
            **settings,
        )

    def parse(self, arguments: Sequence[str] | None = None) -> argparse.Namespace:
        """The options; raises `InputError` for what is unknown, naming the nearest one."""
        given, unknown = self.parse_known_args(arguments)
        if unknown:
            name = unknown[0].partition("=")[0]
            known = [text for action in self._actions for text in action.option_strings]
            raise InputError(
                f"unknown option {name}{closest(name, known)} (--help lists all of them)"
            )
        return given

    def error(self, message: str) -> NoReturn:
        raise InputError(message)


def exit_status(main: Callable[[], int]) -> int:
    """What `main` returns; 2 after one line for a user's mistake, 130 after Ctrl-C."""
    try:
        return main()
    except InputError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: {error}; free or choose another place", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED


def describe_parameters(marked: Collection[str] = ()) -> str:
    """Every parameter with its default, the values it may take and what it means.

    Those `marked` carry a star.
    """
    return "\n".join(_entry(p, "*" if p.path in marked else " ") for p in parameters().values())


def _entry(parameter: Parameter, mark: str) -> str:
    p = parameter
    values = " | ".join(map(_text, p.choices)) or str(p.domain or "a study cannot vary it")
    head = f"{mark} {p.path} = {_text(p.default)}   [{values}]"
    doc = " ".join(p.doc.split())
    return "\n".join(
        [head, *textwrap.wrap(doc, 92, initial_indent=INDENT, subsequent_indent=INDENT)]
    )


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
