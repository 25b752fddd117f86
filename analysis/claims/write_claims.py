"""Writes claims.json: all claims about a study, for other programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from analysis.claims.claim import Claim, Kind
from analysis.data.assumption import Assumption
from nerf.common.files import write_atomically

# Counts and the best trial stand, whatever is assumed of parameters.
_UNCONDITIONAL: tuple[Kind, ...] = ("state", "best_run", "other_objectives")
_NONE: Mapping[int, Assumption] = {}


def write_claims(
    claims: Sequence[Claim], path: Path, decisive: Mapping[int, Assumption] = _NONE
) -> Path:
    """Writes a list of objects with the fields of `Claim` and returns the file.

    decisive: assumptions that decide the headline; the claims that rest on them also have the field
    `conditional_on`, a list of these as sentences
    """
    conditions = [str(assumption) for assumption in decisive.values()]
    objects = [
        claim.to_json() | {"conditional_on": conditions}
        if conditions and claim.kind not in _UNCONDITIONAL
        else claim.to_json()
        for claim in claims
    ]
    text = json.dumps(objects, indent=1, ensure_ascii=False)
    write_atomically(path, f"{text}\n".encode())
    return path
