"""Python files of the user: their text, and what they raise, in one line."""

from __future__ import annotations

from pathlib import Path

from nerf.common.errors import InputError


def read_python(path: Path, name: str) -> str:
    """The text of a file; raises `InputError`, which calls it `name`, if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        cause = getattr(error, "strerror", None) or error
        raise InputError(
            f"{name} cannot be read: {cause}; give the path of a Python file"
        ) from None


def describe_exception(error: BaseException) -> str:
    """The exception's name and message on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())
