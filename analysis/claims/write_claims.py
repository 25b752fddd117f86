"""Writes claims.json: all claims about a study, for other programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from analysis.claims.claim import Claim
from nerf.common.files import write_atomically


def write_claims(claims: Sequence[Claim], path: Path) -> Path:
    """Writes a list of objects with the fields of `Claim` and returns the file."""
    text = json.dumps([claim.to_json() for claim in claims], indent=1, ensure_ascii=False)
    write_atomically(path, f"{text}\n".encode())
    return path
