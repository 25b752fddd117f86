"""Reads the trials of other studies from which the optimiser of a new one starts (`--from`)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nerf.common.errors import InputError
from nerf.config.parameters import Value
from nerf.scenes.scene import Scene
from study.records.study_folder import StudyFolder
from study.spec.earlier_trials import EarlierTrials
from study.spec.study_spec import StudySpec
from study.spec.tried_points import TriedPoint


@dataclass(frozen=True)
class TakenOver:
    """The trials of one study that another takes over, and a line that says so."""

    trials: EarlierTrials
    note: str


def find_study(text: str, studies: Path) -> Path:
    """The folder of a study that is given by its path, or by its name in the folder of studies."""
    path = Path(text)
    is_name = path.name == text and not path.exists()
    return (studies / text if is_name else path).absolute()


def take_over(path: Path, spec: StudySpec, scene: Scene | None) -> TakenOver:
    """The trials of the study in `path` that could be trials of the study `spec`.

    Raises `InputError` if there are none, with the reason.
    """
    folder = StudyFolder(path)
    document = folder.read_spec()
    other, option = StudySpec.from_json(document), f"--from {path}"
    if other.objective != spec.objective:
        raise InputError(
            f"{option}: its trials are ranked by {_rank(other)}, those of this study by "
            f"{_rank(spec)}; leave it out"
        )
    rows = [_to_python(row) for row in folder.read_trials().to_dict("records")]
    if not rows:
        raise InputError(f"{option}: none of its trials has finished; wait, or leave it out")
    different = _describe_other_training(document, other, spec, scene)
    reasons = [different or _reason_against(row, spec) for row in rows]
    used = [row for row, reason in zip(rows, reasons, strict=True) if not reason]
    counts = Counter(reason for reason in reasons if reason)
    left_out = "; ".join(f"{count} {reason}" for reason, count in counts.items())
    if not used:
        raise InputError(
            f"{option}: none of its {len(rows)} trials can start this study: {left_out}"
            + _suggest_best(rows, spec)
        )
    dimensions, column = spec.space.dimensions, spec.objective.column
    paths = tuple(d.path for d in dimensions)
    # The nearest value: itself, but for a level of a step that was rounded.
    taken = tuple((*(d.nearest(row[d.path]) for d in dimensions), row[column]) for row in used)
    note = f"{option}: {len(used)} of its {len(rows)} trials start the optimiser"
    note += f"; left out: {left_out}" if left_out else ""
    return TakenOver(EarlierTrials(str(path), paths, taken), note)


def _rank(spec: StudySpec) -> str:
    return f"{spec.objective.metric} ({spec.objective.direction})"


def _describe_other_training(
    document: Mapping[str, Any], other: StudySpec, spec: StudySpec, scene: Scene | None
) -> str:
    """Why the figures of none of its trials compare; empty if they do."""
    if bool(other.trainer) != bool(spec.trainer):
        return "of another trainer"
    theirs, ours = document.get("scene", {}), scene.content_hash if scene else None
    if theirs.get("hash") != ours:
        return f"on another scene ({theirs.get('name') or 'none'})"
    if other.steps != spec.steps:
        return f"of {other.steps} steps, not {spec.steps}"
    return ""


def _reason_against(row: Mapping[str, Value], spec: StudySpec) -> str:
    """Why a trial, given by its row, could not be one of the study; empty if it could."""
    if row["state"] != "completed" or not math.isfinite(float(row[spec.objective.column])):
        return "that did not complete"
    space = spec.space
    varied = {dimension.path for dimension in space.dimensions}
    if unknown := sorted(varied - row.keys()):
        return f"without {', '.join(unknown)}"
    if outside := space.outside(space.acting({path: row[path] for path in varied})):
        return f"outside what varies here ({', '.join(outside)})"
    by_path = space.parameters.by_path
    follows = {by_path[path].sets for path in varied} | {p for p in by_path if by_path[p].sets}
    skipped = varied | follows | {"seed", space.parameters.steps_path}
    values = space.complete(space.nearest_defaults())
    others = [p for p in values if p not in skipped and not _same(row.get(p), values[p])]
    return f"with another {', '.join(others)}" if others else ""


def _same(one: Value | None, other: Value) -> bool:
    if isinstance(one, float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=1e-9)
    return one == other


def _suggest_best(rows: list[dict[str, Value]], spec: StudySpec) -> str:
    """A clause with the option that tries the best configuration of another study here."""
    column, paths = spec.objective.column, [d.path for d in spec.space.dimensions]
    ended = [row for row in rows if row["state"] == "completed" and {*paths} <= row.keys()]
    if not ended:
        return ""
    best = max(ended, key=lambda row: spec.objective.score(float(row[column])))
    point = TriedPoint(tuple(spec.space.acting({path: best[path] for path in paths}).items()))
    return f"; to begin with its best configuration, write --try '{point}' instead"


def _to_python(row: Mapping[Hashable, Any]) -> dict[str, Value]:
    """A row of a data frame without numpy's types."""
    return {str(k): v.item() if hasattr(v, "item") else v for k, v in row.items()}
