"""Text from files of strangers, made safe to print."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""The text on one line; what a terminal does not show becomes \n, \x1b and so on."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
