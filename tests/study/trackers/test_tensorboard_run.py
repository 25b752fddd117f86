"""A trial's event file, read by TensorBoard's own reader."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from nerf.config.schema import NerfConfig
from study.protocol.messages import Outcome
from study.records.study_folder import StudyFolder
from study.spec.study_spec import StudySpec
from tests.study.trackers.attempts import COLLAPSED, COMPLETED, RENDER, Attempts

pytest.importorskip("tensorboard", reason="the extra [tensorboard] is not installed")


@pytest.fixture
def attempts(folder: StudyFolder, spec: StudySpec) -> Attempts:
    return Attempts(folder, dataclasses.replace(spec, track="tensorboard"))


def read(folder: StudyFolder) -> Any:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return EventAccumulator(str(folder.tensorboard / "00007")).Reload()


def texts(run: Any, tag: str) -> str:
    (event,) = run.Tensors(f"{tag}/text_summary")
    return event.tensor_proto.string_val[0].decode()


def hyperparameters(run: Any) -> dict[str, Any]:
    """What the table of hyperparameters shows of a run."""
    from tensorboard.plugins.hparams import metadata

    content = run.SummaryMetadata(metadata.SESSION_START_INFO_TAG).plugin_data.content
    values = metadata.parse_session_start_info_plugin_data(content).hparams
    return {name: getattr(v, str(v.WhichOneof("kind"))) for name, v in values.items()}


def test_curve_render_parameters_and_outcome(attempts: Attempts) -> None:
    attempts.run([], [10, 20, 30], COLLAPSED)
    run = read(attempts.folder)
    assert [(e.step, e.value) for e in run.Scalars("psnr")] == [(10, 11.0), (20, 12.0), (30, 13.0)]
    assert {"loss", "ssim", "learning_rate", "seconds"} <= set(run.Tags()["scalars"])
    (image,) = run.Images("render")
    assert (image.step, image.height, image.width) == (30, *RENDER.shape[:2])
    shown = hyperparameters(run)
    assert (shown["State"], shown["Reason"]) == ("collapsed", "density is dead")
    assert shown["field.width"] == NerfConfig().field.width
    assert "field.depth" not in shown, "it does not vary"
    assert "| State | collapsed |" in texts(run, "outcome")
    assert f"| field.depth | {NerfConfig().field.depth} |" in texts(run, "config")


def test_the_table_of_hyperparameters_has_the_metrics_of_plugins(attempts: Attempts) -> None:
    from tensorboard.plugins.hparams import metadata

    attempts.run([], [10], dataclasses.replace(COMPLETED, metrics={"lpips": 0.3}))
    content = read(attempts.folder).SummaryMetadata(metadata.EXPERIMENT_TAG).plugin_data.content
    shown = metadata.parse_experiment_plugin_data(content).metric_infos
    assert {"psnr", "test_psnr", "lpips"} <= {metric.name.tag for metric in shown}


@pytest.mark.parametrize("before", [[10, 20], []], ids=["from its checkpoint", "from the start"])
def test_a_resumed_trial_has_each_step_once(attempts: Attempts, before: list[int]) -> None:
    attempts.run([], [10, 20])
    attempts.run(before, [step for step in (10, 20, 30) if step not in before], COLLAPSED)
    scalars = read(attempts.folder).Scalars("psnr")
    assert [event.step for event in scalars] == [10, 20, 30]
    if before:
        assert scalars[1].wall_time - scalars[0].wall_time == pytest.approx(1.0, abs=1e-3)


def test_an_attempt_that_failed_gives_way_to_the_next(attempts: Attempts) -> None:
    attempts.run([], [10], Outcome("failed", "out of memory", 10))
    attempts.run([10], [20, 30], COLLAPSED)
    assert hyperparameters(read(attempts.folder))["State"] == "collapsed"
