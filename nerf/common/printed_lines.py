"""Lines for a terminal: sentences wrapped at words, commands whole so that they can be copied."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap

_COMMAND = re.compile(r"\b(python|nerf-\w+) \S")


def wrap_line(text: str, width: int) -> str:
    """A sentence in lines of at most `width` columns; unchanged if it is or holds a command."""
    if text.startswith("  ") or _COMMAND.search(text):
        return text
    wrapped = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    return "\n".join(wrapped) or text


def print_line(text: str) -> None:
    """Prints a line; where output goes to a terminal, wrapped to its width."""
    is_terminal = sys.stdout.isatty()
    print(wrap_line(text, shutil.get_terminal_size().columns) if is_terminal else text)
