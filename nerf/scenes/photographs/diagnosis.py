"""Why pictures could not be placed, and what to photograph better.

COLMAP places a picture by details that it shares with pictures placed before it. It fails where a
picture has few details, where two share too few, or where the camera only turned on the spot.
"""

from __future__ import annotations

import sqlite3
import statistics
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

FEW_FEATURES = 150
"""A picture with fewer features is blurred, dark or of plain surfaces; usual are a thousand."""

_ENOUGH_SHARED = 30  # details shared by two pictures, below which COLMAP does not place one
_MAX_PAIR_ID = 2147483647  # COLMAP numbers the pair (i, j) as i * this + j
_NAMED = 4  # pictures named in a line
_PANORAMIC = (5, 6)  # COLMAP's two-view configurations without, or perhaps without, translation


@dataclass(frozen=True)
class Evidence:
    """What COLMAP's database has by the names of pictures."""

    features: dict[str, int]
    """The number of features of each picture."""
    shared: dict[str, int]
    """The most verified matches that each picture has with another."""
    panoramic: float
    """The share of matching pairs between which the camera seems not to have moved."""


def read_evidence(database: Path) -> Evidence:
    """Reads a database of features and verified matches."""
    with closing(sqlite3.connect(database)) as connection:
        names = dict(connection.execute("SELECT image_id, name FROM images"))
        rows = dict(connection.execute("SELECT image_id, rows FROM keypoints"))
        pairs = list(connection.execute("SELECT pair_id, rows, config FROM two_view_geometries"))
    shared = dict.fromkeys(names.values(), 0)
    for pair, matches, _ in pairs:
        for image in (pair // _MAX_PAIR_ID, pair % _MAX_PAIR_ID):
            shared[names[image]] = max(shared[names[image]], matches)
    matching = [config for _, matches, config in pairs if matches >= _ENOUGH_SHARED]
    panoramic = sum(config in _PANORAMIC for config in matching) / max(len(matching), 1)
    features = {name: rows.get(image, 0) for image, name in names.items()}
    return Evidence(features, shared, panoramic)


def explain_failure(evidence: Evidence) -> str:
    """Why no model came out of the pictures, and what to do, in one line."""
    median = statistics.median(evidence.features.values())
    if median < FEW_FEATURES:
        return (
            f"most pictures show few details that can be recognised (median {median:.0f}, a "
            "thousand is usual); photograph in more light, in focus and without motion blur, with "
            "textured things around a plain object"
        )
    linked = sum(shared >= _ENOUGH_SHARED for shared in evidence.shared.values())
    if linked < max(3, len(evidence.shared) / 2):
        return (
            f"only {linked} pictures share enough details with another; take more pictures, each "
            "of which shows two thirds of what the one before shows"
        )
    if evidence.panoramic > 0.5:
        return (
            "the camera seems to have turned on the spot, which shows no depth; walk sideways or "
            "around the object between pictures"
        )
    return (
        "the pictures match, but their cameras fit no common geometry; move the camera between "
        "pictures, leave out moving things, and photograph with one lens and zoom"
    )


def explain_missing(missing: Sequence[str], titles: Sequence[str], evidence: Evidence) -> list[str]:
    """One line for each reason why pictures were not placed.

    missing: the names that `evidence` has of them
    titles: what to call them, in the same order
    """
    reasons: dict[str, list[str]] = {}
    for name, title in zip(missing, titles, strict=True):
        reasons.setdefault(_reason(name, evidence), []).append(title)
    return [f"{len(found)} {reason}: {enumerate_names(found)}" for reason, found in reasons.items()]


def _reason(name: str, evidence: Evidence) -> str:
    if evidence.features.get(name, 0) < FEW_FEATURES:
        return "not placed, too few details (blur, darkness or plain surfaces)"
    if evidence.shared.get(name, 0) < _ENOUGH_SHARED:
        return "not placed, too little overlap with any other (photograph the steps between)"
    return "not placed, they match no picture that was placed well enough"


def enumerate_names(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
