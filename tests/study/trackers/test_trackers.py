"""A tracker that fails costs the trial nothing, and the others nothing."""

from __future__ import annotations

import dataclasses
import math

import pytest

from study.protocol.messages import Outcome
from study.records.study_folder import StudyFolder
from study.spec.study_spec import StudySpec
from tests.study.trackers.attempts import COLLAPSED, Attempts


def attempts(folder: StudyFolder, spec: StudySpec, **choice: str) -> Attempts:
    return Attempts(folder, dataclasses.replace(spec, **choice))


def test_without_trackers_nothing_is_written(folder: StudyFolder, spec: StudySpec) -> None:
    attempts(folder, spec).run([], [10, 20], COLLAPSED)
    assert [file.name for file in folder.path.iterdir()] == ["study.json"]


def test_a_tracker_that_cannot_write_is_dropped_with_one_notice(
    folder: StudyFolder, spec: StudySpec
) -> None:
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.tensorboard.write_text("no folder")
    tried = attempts(folder, spec, track="tensorboard")
    tried.run([], [10, 20], COLLAPSED)
    (notice,) = tried.notices
    assert notice.startswith("TensorBoard is not written to: NotADirectoryError: ")
    assert notice.endswith("tensorboard/ID'; training goes on without it")


def test_a_server_that_is_down_is_one_notice(
    folder: StudyFolder, spec: StudySpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mlflow", reason="the extra [mlflow] is not installed")
    pytest.importorskip("tensorboardX")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    tried = attempts(folder, spec, track="tensorboard,mlflow")
    for _ in range(2):
        tried.run([], [10], Outcome("collapsed", "diverged", 10, math.nan))
    assert len(set(tried.notices)) == 1, "the driver shows equal ones once"
    assert tried.notices[0].startswith("MLflow is not written to: ")
    assert list((folder.tensorboard / "00007").iterdir())
    assert not folder.mlflow.exists()
