"""An existing Ray cluster: what is sent to its nodes, and which files they can reach."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

import nerf
from nerf.common.errors import InputError
from study.driver.capacity import alive_nodes
from study.records.study_folder import StudyFolder
from study.spec.study_spec import StudySpec
from study.trainers.parameter_set import DeclaredParameters

_NODE_TIMEOUT = 20.0  # seconds to wait for a node that may be dead; the driver blocks meanwhile
_READ_TIMEOUT = 120.0  # seconds that a node has to start a process and read one file


def runtime_environment(spec: StudySpec) -> dict[str, Any]:
    """Ray's runtime environment: sends `nerf` and `study` to workers, which may lack them.

    The module of a trainer goes with them where it lies in the folder of the launch; others are
    taken to be installed. A trainer's file is sent with the trials.
    """
    packages = [Path(nerf.__file__).parent, Path(__file__).parents[1]]
    parameters = spec.space.parameters
    if isinstance(parameters, DeclaredParameters) and parameters.trainer:
        packages += parameters.trainer.local_packages()
    return {"py_modules": [str(path) for path in packages], "excludes": ["**/__pycache__"]}


def require_shared_folder(folder: StudyFolder) -> None:
    """Raises `InputError` naming the nodes that do not share the study folder.

    A trial there would notice at its first checkpoint only. The folder may not exist; it is not
    created.
    """
    missing = [path for path in (folder.path, *folder.path.parents) if not path.exists()]
    folder.path.mkdir(parents=True, exist_ok=True)
    try:
        nodes = _nodes_without(folder.path)
    finally:
        for path in missing:
            path.rmdir()
    if nodes:
        raise InputError(
            f"{folder.path} is not the same folder on {', '.join(nodes)}; name one "
            "that all nodes share with --studies, or a storage that all reach with --storage"
        )


def _nodes_without(folder: Path) -> list[str]:
    """Addresses of the nodes that do not share the folder: each reads a file just written there."""
    nonce = secrets.token_hex(8)
    file = folder / f".seen-{nonce}"
    file.write_text(nonce)
    # A head node without CPUs never runs a trial.
    nodes = [node for node in alive_nodes() if node["Resources"].get("CPU")]
    try:
        contents = [_read_on_node(node["NodeID"], file) for node in nodes]
        ready, _ = ray.wait(contents, num_returns=len(contents), timeout=_READ_TIMEOUT)
        return [
            node["NodeManagerAddress"]
            for node, content in zip(nodes, contents, strict=True)
            if content not in ready or not _holds(content, nonce)
        ]
    finally:
        file.unlink()


def _holds(content: Any, nonce: str) -> bool:
    """Whether a node read the nonce; also where it is gone: if it comes back, trials look again."""
    try:
        return bool(ray.get(content) == nonce)
    except ray.exceptions.RayError:
        return True


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
