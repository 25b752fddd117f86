"""The one error a user may see: a mistake in what they asked for or handed over."""

from __future__ import annotations


class InputError(ValueError):
    """A user's mistake, in one line: the value, the rule it breaks, the way out.

    The commands print it without a traceback and exit with status 2.
    """


def closest(word: str, known: list[str]) -> str:
    """A hint naming the known word nearest to a misspelt one, or an empty string."""
    import difflib

    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else ""
