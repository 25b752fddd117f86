"""A trial as a run of MLflow, on the server of MLFLOW_TRACKING_URI or in the study folder.

In the study folder it is an SQLite file, as MLflow's own default is by now. MLflow adds a metric
that is logged twice for one step as two, so a resumed trial asks which steps its run has.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock

from nerf.common.errors import InputError
from study.protocol.messages import Outcome
from study.records.study_folder import StudyFolder
from study.trackers.tracker import Point, TrackedTrial, WriteVideo, held_out_metrics, metrics

if TYPE_CHECKING:
    from mlflow import MlflowClient

URI = "MLFLOW_TRACKING_URI"

# A server that is down would otherwise hold a trial up for minutes.
_ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}

_KEY = "trial_key"
_KIND = {"mlflow.experimentKind": "custom_model_development"}  # else opens among language models
# MLflow's list of runs shows FINISHED in green and the others in red.
_STATUS = {"completed": "FINISHED", "collapsed": "FAILED", "pruned": "KILLED", "failed": "FAILED"}
_INTERRUPTED = "interrupted"
_PARAMETERS_AT_ONCE = 100  # as many as a server takes


def local_uri(folder: StudyFolder) -> str:
    """The address of the study folder's own runs."""
    return f"sqlite:///{folder.mlflow / 'mlflow.db'}"


class _MlflowRun:
    def __init__(
        self, client: MlflowClient, run_id: str, metric: str, curve: Sequence[Point]
    ) -> None:
        self._client = client
        self._id = run_id
        self._ended = False
        self._steps = {entry.step for entry in client.get_metric_history(run_id, metric)}
        self._logged: set[str] = set()
        for point in curve:
            self.log(point)

    def log(self, point: Point) -> None:
        step = point["step"]
        self._logged |= point.keys()
        if step not in self._steps:
            self._log(metrics(point), step)
            self._steps.add(step)

    def end(self, outcome: Outcome, image: np.ndarray | None, write_video: WriteVideo) -> None:
        if outcome.state == "completed":
            self._log(held_out_metrics(outcome, self._logged), outcome.steps_done)
        if image is not None:
            self._client.log_image(self._id, image, artifact_file="render.png")
        self._tag(outcome.state, outcome.reason)
        self._client.set_terminated(self._id, _STATUS[outcome.state])
        self._ended = True

    def close(self) -> None:
        if not self._ended:
            self._tag(_INTERRUPTED, "")
            self._client.set_terminated(self._id, "KILLED")

    def _tag(self, state: str, reason: str) -> None:
        self._client.set_tag(self._id, "state", state)
        self._client.set_tag(self._id, "reason", reason)

    def _log(self, values: dict[str, float], step: int) -> None:
        from mlflow.entities import Metric

        now = round(1000 * time.time())
        entries = [Metric(name, value, now, step) for name, value in values.items()]
        self._client.log_batch(self._id, metrics=entries)


def open_mlflow(trial: TrackedTrial, curve: Sequence[Point]) -> _MlflowRun:
    """Begins a run, or continues it with those evaluations of `curve` that it lacks."""
    os.environ.update({name: os.environ.get(name, value) for name, value in _ENVIRONMENT.items()})
    from mlflow import MlflowClient

    name = trial.folder.name
    if uri := os.environ.get(URI):
        client = MlflowClient(tracking_uri=uri)
        experiment = _experiment(client, name, None)
    else:
        place = trial.folder.mlflow
        place.mkdir(parents=True, exist_ok=True)
        # MLflow fails where two processes create the tables of one file at a time.
        with FileLock(place / ".lock"):
            # Seconds that a trial waits while another one writes.
            client = MlflowClient(tracking_uri=f"{local_uri(trial.folder)}?timeout=60")
            experiment = _experiment(client, name, place / "artifacts")
    found = client.search_runs([experiment], f"tags.{_KEY} = '{trial.key}'", max_results=1)
    if found:
        run = found[0]
        client.update_run(run.info.run_id, status="RUNNING")
    else:
        run = client.create_run(experiment, tags=_tags(trial), run_name=trial.trial_id)
        _log_parameters(client, run.info.run_id, trial)
    client.set_tag(run.info.run_id, "state", "running")
    return _MlflowRun(client, run.info.run_id, trial.metric, curve)


def _experiment(client: MlflowClient, name: str, artifacts: Path | None) -> str:
    """The id of the study's experiment, which is created if it does not exist.

    `artifacts` is the folder of its renders; None where the server decides. Raises `InputError`
    where the experiment has them elsewhere.
    """
    from mlflow.exceptions import MlflowException

    location = artifacts.as_uri() if artifacts else None
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        try:
            return str(client.create_experiment(name, artifact_location=location, tags=_KIND))
        except MlflowException:  # another trial has created it meanwhile
            experiment = client.get_experiment_by_name(name)
            if experiment is None:
                raise
    if location and experiment.artifact_location != location:
        raise InputError(
            f"the study folder was moved, and its MLflow runs keep renders in "
            f"{experiment.artifact_location}; move it back, or set {URI}"
        )
    return str(experiment.experiment_id)


def _tags(trial: TrackedTrial) -> dict[str, Any]:
    return {_KEY: trial.key, "study": trial.folder.name, "phase": trial.phase}


def _log_parameters(client: MlflowClient, run_id: str, trial: TrackedTrial) -> None:
    from mlflow.entities import Param

    entries = [Param(path, str(value)) for path, value in trial.parameters.items()]
    for begin in range(0, len(entries), _PARAMETERS_AT_ONCE):
        client.log_batch(run_id, params=entries[begin : begin + _PARAMETERS_AT_ONCE])
