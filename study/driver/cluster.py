"""An existing Ray cluster as the place where a study's trials run."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

import nerf
import study
from nerf.common.errors import InputError
from study.driver.resources import Resources, slots_of_gpus
from study.records.study_folder import StudyFolder
from study.spec.study_spec import StudySpec
from study.storage.remote import Storage

_SIGN_OF_LIFE = 20.0  # seconds, in which the driver does nothing else
_ANSWER = 120.0  # seconds that a node has to start a process and read one file


def runtime_environment() -> dict[str, Any]:
    """What workers need of this program: the packages themselves, whatever is installed there."""
    packages = [Path(package.__file__).parent for package in (nerf, study) if package.__file__]
    return {"py_modules": [str(path) for path in packages], "excludes": ["**/__pycache__"]}


def fit_cluster(spec: StudySpec, total: Mapping[str, float] | None = None) -> Resources:
    """How many trials run at once on a cluster with these resources, its own if not given.

    Raises `InputError` where none fits; Ray would wait for ever, in silence.
    """
    if total is None:
        total = ray.cluster_resources()  # type: ignore[no-untyped-call]
    cpus, gpus = int(total.get("CPU", 0)), int(total.get("GPU", 0))
    slots = cpus // spec.cpus_per_trial
    if spec.gpus_per_trial:
        slots = min(slots, slots_of_gpus(gpus, spec.gpus_per_trial))
    if slots < 1:
        raise InputError(
            f"no trial fits: the cluster has {cpus} CPUs and {gpus} GPUs, a trial asks for "
            f"--cpus-per-trial {spec.cpus_per_trial} --gpus-per-trial {spec.gpus_per_trial:g}"
        )
    at_once = min(slots, spec.max_concurrent) if spec.max_concurrent else slots
    return Resources(cpus, gpus, at_once)


def storage_instead(folder: StudyFolder, spec: StudySpec) -> Storage | None:
    """Where trials keep their files if not all nodes see the study folder; None if they do.

    Raises `InputError` naming the nodes that reach neither; a trial would find that out at its
    first checkpoint only.
    """
    blind = _blind(folder.path)
    if not blind:
        return None
    if not spec.storage:
        raise InputError(
            f"{folder.path} is not the same folder on {', '.join(blind)}; name one "
            "that all nodes share with --studies, or a storage that all reach with --storage"
        )
    return Storage.of(spec.storage, folder)


def _blind(folder: Path) -> list[str]:
    """The nodes that do not see the folder."""
    nonce = secrets.token_hex(8)
    file = folder / f".seen-{nonce}"
    file.write_text(nonce)
    known: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    nodes = [node for node in known if node["Alive"] and node["Resources"].get("CPU")]
    try:
        asked = [_ask(node["NodeID"], file) for node in nodes]
        ready, _ = ray.wait(asked, num_returns=len(asked), timeout=_ANSWER)
        return [
            node["NodeManagerAddress"]
            for node, answer in zip(nodes, asked, strict=True)
            if answer not in ready or ray.get(answer) != nonce
        ]
    finally:
        file.unlink()


def node_lives(node_id: str) -> bool:
    """Does this node still start processes? Asked where one of its own has died."""
    answer = _ask(node_id, Path())
    ready, _ = ray.wait([answer], timeout=_SIGN_OF_LIFE)
    try:
        return bool(ready) and ray.get(answer) == ""
    except ray.exceptions.RayError:
        return False


def _ask(node_id: str, file: Path) -> Any:
    there = NodeAffinitySchedulingStrategy(node_id, soft=False)
    return _read.options(scheduling_strategy=there, num_cpus=0).remote(str(file))


@ray.remote
def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
