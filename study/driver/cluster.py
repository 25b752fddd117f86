"""An existing Ray cluster: how many trials fit on it, and which files its nodes can reach."""

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
from study.driver.resources import Resources, gpu_slots
from study.records.study_folder import StudyFolder
from study.spec.study_spec import StudySpec
from study.storage.remote import Storage

_NODE_TIMEOUT = 20.0  # seconds to wait for a node that may be dead; the driver blocks meanwhile
_READ_TIMEOUT = 120.0  # seconds that a node has to start a process and read one file


def runtime_environment() -> dict[str, Any]:
    """Ray's runtime environment: sends `nerf` and `study` to workers, which may lack them."""
    packages = [Path(package.__file__).parent for package in (nerf, study) if package.__file__]
    return {"py_modules": [str(path) for path in packages], "excludes": ["**/__pycache__"]}


def fit_cluster(spec: StudySpec, total: Mapping[str, float] | None = None) -> Resources:
    """How many trials run at once on a cluster with `total` resources (default: the one joined).

    Raises `InputError` where none fits; Ray would wait without end, in silence.
    """
    if total is None:
        total = ray.cluster_resources()  # type: ignore[no-untyped-call]
    cpus, gpus = int(total.get("CPU", 0)), int(total.get("GPU", 0))
    slots = cpus // spec.cpus_per_trial
    if spec.gpus_per_trial:
        slots = min(slots, gpu_slots(gpus, spec.gpus_per_trial))
    if slots < 1:
        raise InputError(
            f"no trial fits: the cluster has {cpus} CPUs and {gpus} GPUs, a trial needs "
            f"--cpus-per-trial {spec.cpus_per_trial} --gpus-per-trial {spec.gpus_per_trial:g}; "
            "lower these, or add nodes"
        )
    return Resources.with_slots(cpus, gpus, slots, spec)


def choose_trial_storage(folder: StudyFolder, spec: StudySpec) -> Storage | None:
    """Where trials save their files: None for the study folder, if all nodes share it.

    Else the study's storage. Raises `InputError` naming the nodes that lack the folder where there
    is no storage; a trial would notice at its first checkpoint only.
    """
    nodes = _nodes_without(folder.path)
    if not nodes:
        return None
    if not spec.storage:
        raise InputError(
            f"{folder.path} is not the same folder on {', '.join(nodes)}; name one "
            "that all nodes share with --studies, or a storage that all reach with --storage"
        )
    return Storage.of(spec.storage, folder)


def _nodes_without(folder: Path) -> list[str]:
    """Addresses of the nodes that do not share the folder: each reads a file just written there."""
    nonce = secrets.token_hex(8)
    file = folder / f".seen-{nonce}"
    file.write_text(nonce)
    all_nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    # A head node without CPUs never runs a trial.
    nodes = [node for node in all_nodes if node["Alive"] and node["Resources"].get("CPU")]
    try:
        contents = [_read_on_node(node["NodeID"], file) for node in nodes]
        ready, _ = ray.wait(contents, num_returns=len(contents), timeout=_READ_TIMEOUT)
        return [
            node["NodeManagerAddress"]
            for node, content in zip(nodes, contents, strict=True)
            if content not in ready or ray.get(content) != nonce
        ]
    finally:
        file.unlink()


def is_node_alive(node_id: str) -> bool:
    """Whether a node still starts processes; Ray itself notices a lost node much later."""
    content = _read_on_node(node_id, Path())
    ready, _ = ray.wait([content], timeout=_NODE_TIMEOUT)
    try:
        return bool(ready) and ray.get(content) == ""
    except ray.exceptions.RayError:
        return False


def _read_on_node(node_id: str, file: Path) -> Any:
    """A Ray reference to the file's text as that node sees it; empty where it cannot be read."""
    this_node = NodeAffinitySchedulingStrategy(node_id, soft=False)
    # Without CPUs of its own it runs even where trials occupy all of them.
    return _read.options(scheduling_strategy=this_node, num_cpus=0).remote(str(file))


@ray.remote
def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
