"""Python files of the user: their text, and what they raise, in one line."""

from __future__ import annotations

from pathlib import Path

from nerf.common.errors import InputError


def read_python(path: Path, option: str) -> str:
    """The text of a file that an option names; raises `InputError` if it cannot be read.

    option: with its value, as on the command line
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        cause = getattr(error, "strerror", None) or error
        where = "" if option.endswith(str(path)) else f" ({path})"
        raise InputError(
            f"{option} cannot be read: {cause}{where}; give the path of a Python file"
        ) from None


def describe_exception(error: BaseException) -> str:
    """The exception's name and message on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())
