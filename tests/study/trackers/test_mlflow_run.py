"""A trial's run in MLflow, in the study folder's own SQLite file, read by MLflow's client."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import pytest

from nerf.config.schema import NerfConfig
from study.records.study_folder import StudyFolder
from study.spec.study_spec import StudySpec
from study.trackers.mlflow_run import local_uri
from tests.study.trackers.attempts import COLLAPSED, RENDER, Attempts

pytest.importorskip("mlflow", reason="the extra [mlflow] is not installed")


@pytest.fixture
def attempts(folder: StudyFolder, spec: StudySpec) -> Attempts:
    return Attempts(folder, dataclasses.replace(spec, track="mlflow"))


def read(folder: StudyFolder) -> tuple[Any, Any]:
    """A client, and the study's only run."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=local_uri(folder))
    experiment = client.get_experiment_by_name(folder.name)
    (run,) = client.search_runs([experiment.experiment_id])
    return client, run


def test_an_interrupted_trial_continues_its_run(
    attempts: Attempts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one test, as MLflow takes seconds to create its tables."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    attempts.run([], [10])
    client, run = read(attempts.folder)
    assert (run.info.status, run.data.tags["state"]) == ("KILLED", "interrupted")
    attempts.run([10, 20], [30], COLLAPSED)  # died after it saved 20 and before it logged that
    attempts.run([], [10, 20, 30], COLLAPSED)  # its checkpoint was damaged
    assert attempts.notices == []
    client, run = read(attempts.folder)
    history = client.get_metric_history(run.info.run_id, "psnr")
    assert sorted((m.step, m.value) for m in history) == [(10, 11.0), (20, 12.0), (30, 13.0)]
    assert {"loss", "ssim", "learning_rate"} <= set(run.data.metrics)
    assert run.data.params["field.width"] == str(NerfConfig().field.width)
    tags = {name: run.data.tags[name] for name in ("state", "reason", "phase")}
    assert tags == {"state": "collapsed", "reason": "density is dead", "phase": "explore"}
    assert (run.info.status, run.info.run_name) == ("FAILED", "00007")
    render = client.download_artifacts(run.info.run_id, "render.png", str(tmp_path))
    assert (imageio.imread(render) == RENDER).all()
