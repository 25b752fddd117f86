"""Where a study comes from: the document study.json, written once before its first trial."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nerf
from nerf.scenes.scene import Scene
from study.records.schema import SCHEMA_VERSION
from study.spec.study_spec import StudySpec

_PACKAGES = ("torch", "ray", "optuna", "numpy", "nerf-study")
_DECIDE = ("torch", "numpy")
"""Of these, the ones that the same configuration and seed may train differently under."""


def document(name: str, spec: StudySpec, scene: Scene, command: Sequence[str]) -> dict[str, Any]:
    """The content of study.json."""
    from nerf.evaluation.baselines import baselines

    return {
        "schema": SCHEMA_VERSION,
        "name": name,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "scene": {
            "source": scene.source,
            "name": scene.name,
            "hash": scene.content_hash,
            "height": scene.height,
            "width": scene.width,
            "views": {split: len(scene.views(split)) for split in ("train", "val", "test")},
            "baselines": baselines(scene),
        },
        "spec": spec.to_json(),
        "space": spec.space.to_json(),
        "versions": versions(),
        "code": code_hash(),
        "git": git_state(Path(__file__).parent),
        "command": list(command),
    }


def differences(document: Mapping[str, Any]) -> list[str]:
    """What has changed, since study.json was written, of all that decides a trial's result."""
    now = versions()
    told = [
        f"{package} {document['versions'].get(package)} is now {now.get(package)}"
        for package in _DECIDE
        if document["versions"].get(package) != now.get(package)
    ]
    if document.get("code") != code_hash():
        told.append("the code in nerf/ has changed")
    return told


def extended(
    document: Mapping[str, Any], spec: StudySpec, command: Sequence[str]
) -> dict[str, Any]:
    """study.json of a study that has been given more trials, with when and by what code."""
    entry = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "from": StudySpec.from_json(document).planned,
        "to": spec.planned,
        "differences": differences(document),
        "git": git_state(Path(__file__).parent),
        "command": list(command),
    }
    return {
        **document,
        "spec": spec.to_json(),
        "extended": [*document.get("extended", []), entry],
    }


def code_hash() -> str:
    """Of the program text that training runs; a changed README changes no result."""
    digest = hashlib.sha256()
    package = Path(nerf.__file__).parent
    for file in sorted(package.rglob("*.py")):
        digest.update(file.relative_to(package).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


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
