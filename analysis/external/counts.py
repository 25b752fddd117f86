"""Counts in sentences: `1 trial`, `2 trials`."""


def count(number: int, noun: str) -> str:
    """The number and the noun, in its plural unless the number is 1."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
