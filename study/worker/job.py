"""What all trials of a launch have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import ray

from nerf.scenes.scene import Scene
from study.records.study_folder import StudyFolder
from study.spec.study_spec import StudySpec
from study.storage.remote import Storage


@dataclass(frozen=True)
class Job:
    """What all trials of a launch have in common."""

    folder: StudyFolder
    spec: StudySpec
    launch: str
    """A random id, unique among all launches on a cluster."""
    scenes: Mapping[str, ray.ObjectRef[Scene]]
    """By label, in Ray's object store, which has each once on each node; none without scenes."""
    storage: Storage | None = None
    """Where trials save their files if their machines do not share the study folder."""
    proof: Path | None = None
    """A file in the study folder that every node must see, if nodes are to share that folder."""
