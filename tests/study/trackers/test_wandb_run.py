"""A trial as an offline W&B run."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import imageio.v3 as imageio
import pytest

from nerf.config.flat import build
from nerf.config.schema import NerfConfig
from nerf.scenes.scene import Scene
from nerf.training.loop import train
from study.protocol.messages import Outcome
from study.records.study_folder import StudyFolder
from study.spec.study_spec import StudySpec
from study.trackers.trial_video import MAX_SHARE, affordable_frames, write_trial_video
from tests.study.trackers.attempts import Attempts
from tests.study.wandb_runs import Run, read_run

TINY = build(
    {"optimisation.rays": 64, "sampling.coarse": 8, "field.width": 16, "field.depth": 2,
     "optimisation.steps": 40, "evaluation.times": 2, "evaluation.final_pixels": 256}
)  # fmt: skip


def logged(folder: StudyFolder, spec: StudySpec, outcome: Outcome) -> Run:
    """The run of a trial that was evaluated twice and ended so."""
    import wandb

    Attempts(folder, dataclasses.replace(spec, wandb="offline")).run([], [10, 20], outcome)
    wandb.teardown()
    (run_folder,) = folder.wandb.glob("wandb/offline-run-*")
    return read_run(run_folder)


def test_a_collapsed_trial_has_a_tag_and_a_reason(folder: StudyFolder, spec: StudySpec) -> None:
    run = logged(folder, spec, Outcome("collapsed", "density is dead", 20, 12.0))
    assert (run.group, run.kind, run.steps) == (folder.name, "explore", (10, 20))
    assert run.id.endswith("-00007")
    assert "collapsed" in run.tags
    assert (run.summary["state"], run.summary["reason"]) == ("collapsed", "density is dead")
    assert run.summary["render._type"] == "image-file"
    assert "film._type" not in run.summary
    assert run.config["field"]["width"] == NerfConfig().field.width


def test_a_video_flies_around_the_scene(ball: Scene, tmp_path: Path) -> None:
    train(TINY, ball, checkpoint=tmp_path / "0.pt")
    longer = build({"optimisation.rays": 64, "optimisation.steps": 3000})
    made = write_trial_video(tmp_path / "0.pt", longer, ball, tmp_path / "video.gif")
    assert made
    frames = imageio.imread(made, index=None)
    assert frames.shape == (7, 24, 48, 3)
    assert len({frame.tobytes() for frame in frames}) > 5


@pytest.mark.parametrize("steps", [100, 3000, 200_000])
def test_a_video_costs_at_most_its_share_of_the_training(steps: int) -> None:
    config = build({"optimisation.rays": 512, "optimisation.steps": steps})
    shown = affordable_frames(config, 64 * 64) * 64 * 64
    assert shown <= MAX_SHARE * 3 * 512 * steps
    assert bool(shown) == (steps > 100)


def test_a_short_training_has_no_video(ball: Scene, tmp_path: Path) -> None:
    assert write_trial_video(tmp_path / "none.pt", TINY, ball, tmp_path / "video.gif") is None
    assert not list(tmp_path.iterdir())


def test_a_diverged_trial_without_figures_has_a_run(folder: StudyFolder, spec: StudySpec) -> None:
    run = logged(folder, spec, Outcome("collapsed", "diverged", 5, math.nan))
    assert run.summary["reason"] == "diverged"
