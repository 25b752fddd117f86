"""What a launch needs for the trackers of its study, and how a person opens what they wrote."""

from __future__ import annotations

import importlib.util
import os
import shlex

from nerf.common.errors import InputError
from study.records.study_folder import StudyFolder
from study.spec.study_spec import StudySpec
from study.trackers.mlflow_run import URI, local_uri

_PACKAGES = {"tensorboard": "tensorboardX", "mlflow": "mlflow"}


def require_trackers(spec: StudySpec) -> None:
    """Raises `InputError` where a package, an account or an address is missing."""
    for name in spec.trackers:
        if importlib.util.find_spec(_PACKAGES[name]) is None:
            raise InputError(
                f"--track {name} needs the package {_PACKAGES[name]}, which is not installed; "
                f"pip install -e '.[{name}]'"
            )
    if "mlflow" in spec.trackers and spec.address and spec.storage and not os.environ.get(URI):
        raise InputError(
            f"--track mlflow on nodes without the study folder needs an MLflow server; set {URI} "
            "to its address on every node"
        )
    if spec.wandb == "online":
        _require_account()


def _require_account() -> None:
    """Raises `InputError` where W&B has no API key: every trial would fail, or wait for one."""
    import wandb

    if not wandb.login(prompt=False, verify=False):
        raise InputError("--wandb online needs a key; run `wandb login`, or use --wandb offline")


def describe_runs(spec: StudySpec, folder: StudyFolder) -> list[str]:
    """A line for each tracker with the command that shows or uploads the study's runs."""
    lines = []
    if "tensorboard" in spec.trackers:
        place = shlex.quote(str(folder.tensorboard))
        lines.append(f"TensorBoard: tensorboard --logdir {place}")
    if "mlflow" in spec.trackers:
        server = os.environ.get(URI)
        shown = f"mlflow ui --backend-store-uri {shlex.quote(local_uri(folder))}"
        lines.append(f"MLflow: {server or shown}, experiment {folder.name}")
    if spec.wandb == "offline":
        runs = shlex.quote(str(folder.wandb / "wandb"))
        # A trial's attempts become one run.
        lines.append(f"upload to W&B with: wandb sync --yes {runs}/offline-run-*")
    return lines
