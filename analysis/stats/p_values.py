"""Formats p-values for sentences."""

from __future__ import annotations

_LEAST = 1e-6
"""Smaller ones are far beyond what a test's approximations hold for."""


def format_p_value(p: float, digits: int = 2) -> str:
    """`p = 0.012`, or `p < 1e-06`: never that it is 0."""
    return f"p < {_LEAST:g}" if p < _LEAST else f"p = {p:.{digits}g}"
