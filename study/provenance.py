"""Where a study comes from: the document study.json, written once before its first trial."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nerf.baselines import baselines
from nerf.scenes.scene import Scene
from study.folder import SCHEMA_VERSION
from study.spec import StudySpec

_PACKAGES = ("torch", "ray", "optuna", "numpy", "nerf-study")


def document(name: str, spec: StudySpec, scene: Scene, command: Sequence[str]) -> dict[str, Any]:
    """The content of study.json."""
    return {
        "schema": SCHEMA_VERSION,
        "name": name,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "scene": {
            "source": scene.source,
            "name": scene.name,
            "hash": scene.content_hash(),
            "height": scene.height,
            "width": scene.width,
            "views": {split: len(scene.views(split)) for split in ("train", "val", "test")},
            "baselines": baselines(scene),
        },
        "spec": spec.to_json(),
        "space": spec.space.to_json(),
        "versions": versions(),
        "git": git_state(Path(__file__).parent),
        "command": list(command),
    }


def versions() -> dict[str, str]:
    """Of Python and of those installed packages that a result depends on."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def git_state(folder: Path) -> dict[str, Any] | None:
    """The commit that `folder` is at, and whether files differ from it; None outside a checkout."""
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    return {"commit": commit, "dirty": bool(_git(folder, "status", "--porcelain"))}


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
