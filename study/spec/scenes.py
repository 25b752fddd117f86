"""The scenes of a study of several: every point of its design is run on each of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nerf.common.errors import InputError


@dataclass(frozen=True)
class StudyScene:
    """One of several scenes."""

    source: str
    """A built-in scene, or the path of a scene."""
    label: str
    """Its name in tables, messages and the names of files; no other scene of the study has it."""
    bounds: tuple[float, float] | None = None
    """The near and far that it suggests, once it has been read."""

    def to_json(self) -> dict[str, Any]:
        """Its fields, for study.json."""
        return {"source": self.source, "label": self.label, "bounds": self.bounds}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> StudyScene:
        """Reads what `to_json` gave."""
        bounds = data["bounds"]
        return StudyScene(data["source"], data["label"], tuple(bounds) if bounds else None)


def label_scenes(sources: Sequence[str]) -> tuple[StudyScene, ...]:
    """Scenes with a label each; raises `InputError` if one is there twice."""
    labels: list[str] = []
    for place, source in enumerate(sources):
        if source in sources[:place]:
            raise InputError(f"--scene {source} is there twice; name each scene once")
        stem = re.sub(r"[^\w.-]+", "-", Path(source).stem).strip(".-") or "scene"
        label, count = stem, 1
        while label in labels:
            count += 1
            label = f"{stem}-{count}"
        labels.append(label)
    return tuple(StudyScene(*both) for both in zip(sources, labels, strict=True))
