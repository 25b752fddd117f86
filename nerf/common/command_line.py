"""What all commands share: a parser with one-line errors, exit statuses, the options for a scene.

A command is a function `main(arguments: list[str] | None = None) -> int` that parses with `Parser`
and returns through `exit_status`.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import textwrap
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Any, NoReturn

from nerf.common.errors import InputError, closest
from nerf.common.option_errors import (
    explain_error,
    explain_message,
    read_number,
    read_whole_number,
)

INTERRUPTED = 130
"""Exit status after Ctrl-C: 128 + SIGINT, as in a shell."""


class Parser(argparse.ArgumentParser):
    """An argument parser that raises `InputError`: one line with the mistake and the fix."""

    def __init__(
        self,
        description: str,
        epilog: str = "",
        *,
        examples: Sequence[str] = (),
        **settings: Any,
    ) -> None:
        """`examples` are command lines, shown below the options and before the `epilog`.

        A description of one line is wrapped to the terminal; one of several stays as it is.
        """
        if "\n" not in description:
            description = textwrap.fill(description, help_width())
        shown = "\n".join(["examples:", *(f"  {each}" for each in examples)] if examples else [])
        super().__init__(
            description=description,
            epilog=f"{shown}\n\n{epilog}".strip(),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
            exit_on_error=False,
            **settings,
        )
        self.register("type", int, read_whole_number)
        self.register("type", float, read_number)

    def parse(self, arguments: Sequence[str] | None = None) -> argparse.Namespace:
        """Parses the command line; raises `InputError` for an unknown option or a stray word.

        What follows `--` is not an option, however it begins.
        """
        arguments = sys.argv[1:] if arguments is None else arguments
        known = [text for action in self._actions for text in action.option_strings]
        # Before argparse, which would first complain of whatever else is missing.
        for argument in takewhile(lambda argument: argument != "--", arguments):
            name = argument.partition("=")[0]
            if name.startswith("-") and name not in known and not _is_number(argument):
                raise InputError(
                    f"unknown option {name}{closest(name, known)} (--help lists all options)"
                )
        try:
            options, rest = self.parse_known_args(arguments)
        except argparse.ArgumentError as error:
            raise InputError(explain_error(error, self._actions)) from None
        stray = [word for word in rest if word != "--"]
        if stray:
            raise InputError(
                f"unexpected argument {stray[0]!r}; put its option before it, or quote a value "
                "that contains spaces (--help lists all options)"
            )
        return options

    def error(self, message: str) -> NoReturn:
        raise InputError(explain_message(message))


def help_width() -> int:
    """Columns of the terminal for a help text: no more than 100, where lines are hard to read."""
    return min(max(shutil.get_terminal_size().columns, 40), 102) - 2


def _is_number(text: str) -> bool:
    """Whether this is a number, such as the value -1 of an option."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def add_scene_options(parser: argparse._ActionsContainer, several: bool = False) -> None:
    """Adds --scene and the options of how it is read, and --set, to a parser or one of its groups.

    several: whether --scene may be repeated, and so is a list

    Options that are not on the command line are None, or missing from the namespace where the
    parser was made with `argument_default=argparse.SUPPRESS`. --set collects a list of
    "PATH=VALUE" for `nerf.config.settings.parse_settings`; its help refers to a list of parameters
    below, so the parser's epilog must contain `nerf.config.parameter_help.describe_parameters()`.
    """
    parser.add_argument(
        "--scene",
        action="append" if several else "store",
        metavar="NAME|PATH",
        help="a built-in scene (bricks, studio, studio-corner, courtyard, tiny-lego), or the "
        "path of a scene, of a folder of photographs or of a video (default: bricks)"
        + ("; repeated: every point is run on each scene" if several else ""),
    )
    parser.add_argument(
        "--downscale", type=int, metavar="N", help="divide the width and height of images by N"
    )
    parser.add_argument(
        "--background",
        choices=("auto", "white", "black", "none"),
        help="colour of a ray that hits nothing, over which images with an alpha channel are "
        "composited. auto (the default): white if images have one, else the colour of a plain "
        "backdrop around the object, or black without one. none: black, only for images without "
        "an alpha channel",
    )
    parser.add_argument(
        "--follow-links",
        action="store_const",
        const=True,
        help="trust symbolic links and paths in camera files that lead out of the scene's folder",
    )
    parser.add_argument(
        "--set",
        action="append",
        metavar="PATH=VALUE",
        help="set a parameter to a fixed value (repeatable); all parameters are listed below",
    )


def option_values(arguments: Sequence[str] | None, option: str) -> list[str]:
    """What follows an option on the command line, before all of it is parsed."""
    arguments = sys.argv[1:] if arguments is None else arguments
    following = [*arguments, ""][1:]
    return [
        after if argument == option else argument.partition("=")[2]
        for argument, after in zip(arguments, following, strict=True)
        if argument.partition("=")[0] == option
    ]


def add_plugin_option(parser: argparse._ActionsContainer) -> None:
    """Adds --plugin, whose values `nerf.config.plugin.load_named` takes."""
    parser.add_argument(
        "--plugin",
        action="append",
        metavar="FILE.py",
        help="add the activations and other pieces that a file of yours registers to the choices "
        "of parameters, and its own parameters to the others (repeatable)",
    )


def exit_status(command: Callable[[], int]) -> int:
    """Runs `command` and returns its exit status, with no traceback for an expected error.

    Returns 2 after one line on stderr for an `InputError` or an `OSError`, and 130 after Ctrl-C.
    """
    try:
        return command()
    except InputError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except OSError as error:
        print(
            f"error: {error}; check disk space and permissions, or choose another folder",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED
