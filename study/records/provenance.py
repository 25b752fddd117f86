"""Provenance of a study: study.json, and what has changed since it was written."""

from __future__ import annotations

import functools
import importlib.metadata
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nerf
from nerf.common.code_hash import hash_code
from nerf.scenes.scene import Scene
from study.records.schema import SCHEMA_VERSION
from study.spec.study_spec import StudySpec
from study.trainers.objective import PSNR
from study.trainers.parameter_set import DeclaredParameters

_PACKAGES = ("torch", "ray", "optuna", "numpy", "nerf-study")
_NUMERIC_PACKAGES = ("torch", "numpy")
"""Packages of which another version may train the same configuration and seed differently."""

_TRAINING_ROOMS = ("common", "config", "scenes", "model", "evaluation", "training")
"""The rooms of `nerf` whose code runs in training."""

NOT_IN_TRAINING = (
    "common/code_hash.py",
    "common/command_line.py",
    "common/commands.py",
    "common/progress.py",
    "config/parameter_help.py",
    "config/settings.py",
    "scenes/bounds/inspection_image.py",
    "scenes/cameras/camera_paths.py",
)
"""Files of these rooms that cannot change the result of a training."""


def study_document(
    name: str, spec: StudySpec, scenes: Mapping[str, Scene], command: Sequence[str]
) -> dict[str, Any]:
    """The content of study.json for a new study.

    scenes: by their labels; the only one has none
    """
    described = {label: _describe_scene(scene, spec) for label, scene in scenes.items()}
    return {
        "schema": SCHEMA_VERSION,
        "name": name,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "scene": described.get("", {}),
        **({"scenes": described} if spec.scenes else {}),
        "spec": spec.to_json(),
        "space": spec.space.to_json(),
        "versions": versions(),
        "training_code": _hash_code(spec),
        "git": git_state(Path(__file__).parent),
        "command": list(command),
    }


def _describe_scene(scene: Scene, spec: StudySpec) -> dict[str, Any]:
    about = {
        "source": scene.source,
        "name": scene.name,
        "hash": scene.content_hash,
        "height": scene.height,
        "width": scene.width,
        "views": {split: len(scene.views(split)) for split in ("train", "val", "test")},
    }
    if spec.trainer and PSNR not in spec.objectives:  # its trials have no PSNR to compare
        return about
    from nerf.evaluation.trivial_baselines import trivial_psnrs  # imports torch

    return about | {"baselines": trivial_psnrs(scene)}


def _hash_code(spec: StudySpec) -> str:
    """Hash of the code that trains the study's trials."""
    parameters = spec.space.parameters
    if isinstance(parameters, DeclaredParameters):
        # None: a tune.Tuner of the user has it.
        return parameters.trainer.code_hash() if parameters.trainer else ""
    return hash_training_code()


def changes_since(document: Mapping[str, Any], spec: StudySpec) -> list[str]:
    """Changes since study.json was written that may change a trial's result, one phrase each.

    spec: the study's, with its trainer loaded
    """
    now = versions()
    changes = [
        f"{package} {document['versions'].get(package)} is now {now.get(package)}"
        for package in _NUMERIC_PACKAGES
        if document["versions"].get(package) != now.get(package)
    ]
    if "training_code" not in document:
        changes.append(
            "an earlier version of this program created it, whose code cannot be compared with "
            "this one's"
        )
    elif change := _describe_changes(document["training_code"], spec):
        changes.append(change)
    then = {plugin["file"]: plugin["hash"] for plugin in document["spec"].get("plugins", ())}
    by_name = {Path(file).name: code_hash for file, code_hash in then.items()}
    changed = [p.file for p in spec.plugins if by_name.get(p.name) != p.hash]
    return [*changes, *(f"{file} has changed" for file in changed)]


def _describe_changes(code_hash: str, spec: StudySpec) -> str:
    """What has changed in the code that trains the study's trials; empty if nothing has."""
    parameters = spec.space.parameters
    if isinstance(parameters, DeclaredParameters):
        return parameters.trainer.describe_changes(code_hash) if parameters.trainer else ""
    return "the training code in nerf/ has changed" * (hash_training_code() != code_hash)


def extended_document(
    document: Mapping[str, Any], spec: StudySpec, command: Sequence[str]
) -> dict[str, Any]:
    """study.json with the larger `spec`, today's code and versions, and an entry on the extension.

    The entry has the code and versions of before. The next extension is compared with today's, so
    that changes which were allowed once need not be allowed again.
    """
    entry = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "from": StudySpec.from_json(document).planned,
        "to": spec.planned,
        "differences": changes_since(document, spec),
        "training_code": document.get("training_code"),
        "versions": document["versions"],
        "git": git_state(Path(__file__).parent),
        "command": list(command),
    }
    return {
        **document,
        "spec": spec.to_json(),
        "versions": versions(),
        "training_code": _hash_code(spec),
        "extended": [*document.get("extended", []), entry],
    }


@functools.cache
def hash_training_code(package: Path = Path(nerf.__file__).parent) -> str:
    """Hash of the code that training runs, without comments, docstrings and formatting.

    Read once in a process: files that change later are not those that it runs.
    """
    files = {file for room in _TRAINING_ROOMS for file in (package / room).rglob("*.py")}
    return hash_code(sorted(files - {package / name for name in NOT_IN_TRAINING}), package)


def versions() -> dict[str, str]:
    """Versions of Python and of the installed packages that results depend on."""
    installed = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            installed[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return installed


def git_state(folder: Path) -> dict[str, Any] | None:
    """The commit that `folder` is at, and whether files differ from it; None outside git."""
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    return {"commit": commit, "dirty": bool(_git(folder, "status", "--porcelain"))}


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        finished = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return finished.stdout.strip() if finished.returncode == 0 else None
