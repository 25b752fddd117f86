"""All captures, in the order of the table."""

from __future__ import annotations

from capture import (
    backdrop_cases,
    folder_cases,
    layout_cases,
    lens_cases,
    picture_cases,
    size_cases,
    split_cases,
)

CASES = [
    *picture_cases.CASES,
    *size_cases.CASES,
    *split_cases.CASES,
    *lens_cases.CASES,
    *folder_cases.CASES,
    *layout_cases.CASES,
    *backdrop_cases.CASES,
]
"""Captures with a known truth."""
