"""Writes claims.json: all claims about a study, for other programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from analysis.claims.claim import Claim, Kind
from analysis.data.assumption import Assumption
from nerf.common.files import write_atomically

# Counts stand, whatever is assumed; the best trial, whatever is assumed of parameters.
_COUNTS: tuple[Kind, ...] = ("state", "other_objectives", "by_hand", "started_from")
_NONE: Mapping[int, Assumption] = {}


def write_claims(
    claims: Sequence[Claim], path: Path, decisive: Mapping[int, Assumption] = _NONE
) -> Path:
    """Writes a list of objects with the fields of `Claim` and returns the file.

    decisive: assumptions that decide the headline; the claims that rest on them also have the field
    `conditional_on`, a list of these as sentences
    """
    objects = [claim.to_json() | _list_conditions(claim, decisive.values()) for claim in claims]
    text = json.dumps(objects, indent=1, ensure_ascii=False)
    write_atomically(path, f"{text}\n".encode())
    return path


def _list_conditions(claim: Claim, decisive: Iterable[Assumption]) -> dict[str, list[str]]:
    """The field `conditional_on` of a claim; empty if it rests on none of these assumptions."""
    if claim.kind in _COUNTS:
        return {}
    conditions = [str(a) for a in decisive if a.is_on_direction or claim.kind != "best_run"]
    return {"conditional_on": conditions} if conditions else {}
