"""The one exception for a user's mistake, and the hint for a misspelt word."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


class InputError(ValueError):
    """A user's mistake, in one line: the value, the rule that it breaks, the way out.

    Commands print it without a traceback and exit with status 2; so do notebooks, without the exit.
    """

    def _render_traceback_(self) -> list[str]:
        """What IPython and Jupyter print in place of a traceback."""
        return [f"{type(self).__name__}: {' '.join(str(self).split())}"]


def closest(word: str, known: list[str], more: str = "") -> str:
    """Returns "; did you mean X?" for the known word closest to `word`, or an empty string.

    more: what else helps; it follows as a sentence, or after a semicolon if no word is close
    """
    return suggest(difflib.get_close_matches(word, known, n=1, cutoff=0.5), more)


def suggest(matches: Sequence[str], more: str = "") -> str:
    """The same for the first of the `matches`, if there are any."""
    if not matches:
        return f"; {more}" if more else ""
    question = f"; did you mean {matches[0]}?"
    return f"{question} {more[0].upper()}{more[1:]}" if more else question
