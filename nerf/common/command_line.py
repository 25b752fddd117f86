"""What the commands share: one-line errors with status 2, and the list of parameters."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from nerf.common.errors import InputError, closest

INTERRUPTED = 130
"""Exit status after Ctrl-C."""


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
