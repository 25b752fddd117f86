"""A trial as a Weights & Biases run; wandb is not even imported where that is off."""

from __future__ import annotations

import hashlib
import shlex
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol, cast

import numpy as np

from nerf.common.errors import InputError
from nerf.config.flat import flatten
from nerf.config.schema import NerfConfig
from study.protocol.messages import Outcome
from study.records.study_folder import StudyFolder

# W&B looks all this up at the start of each run; study.json has it once for the study.
_DISABLED: dict[str, Any] = {
    "console": "off",
    "disable_code": True,
    "disable_git": True,
    "x_disable_machine_info": True,
    "x_disable_meta": True,
    "x_disable_stats": True,
    "x_save_requirements": False,
}

WriteVideo = Callable[[Path], Path | None]
"""Writes a video to a path and returns it, or None where it writes none."""


class Tracker(Protocol):
    """Receives a trial's figures while it runs."""

    def log(self, point: dict[str, Any]) -> None:
        """Logs one evaluation of the curve."""

    def end(self, outcome: Outcome, image: np.ndarray, write_video: WriteVideo) -> None:
        """Logs how the trial ended, its render, and the video if one is written."""


class _NoTracker:
    def log(self, point: dict[str, Any]) -> None:
        pass

    def end(self, outcome: Outcome, image: np.ndarray, write_video: WriteVideo) -> None:
        pass


class _WandbTracker:
    def __init__(self, run: Any) -> None:
        self._run = run

    def log(self, point: dict[str, Any]) -> None:
        self._run.log(point, step=point["step"])

    def end(self, outcome: Outcome, image: np.ndarray, write_video: WriteVideo) -> None:
        import wandb

        media: dict[str, Any] = {"render": wandb.Image(image)}
        with tempfile.TemporaryDirectory() as scratch:
            if outcome.state == "completed" and (video := write_video(Path(scratch) / "video.gif")):
                # Called `film` in the panels of earlier studies in the same W&B project.
                media["film"] = wandb.Video(str(video), format="gif")
            self._run.log(media, step=outcome.steps_done)
        self._run.summary.update(
            {"state": outcome.state, "reason": outcome.reason, "test_psnr": outcome.test_psnr}
        )
        self._run.tags = (*self._run.tags, outcome.state)


def require_account() -> None:
    """Raises `InputError` where W&B has no API key: every trial would fail, or wait for one."""
    import wandb

    if wandb.api.api_key is None:
        raise InputError("--wandb online needs a key; run `wandb login`, or use --wandb offline")


@contextmanager
def open_tracker(
    folder: StudyFolder, mode: str, trial_id: str, phase: str, config: NerfConfig
) -> Iterator[Tracker]:
    """One trial's tracker, closed even after an error; `mode` is one of `WANDB_MODES`."""
    if mode == "off":
        yield _NoTracker()
        return
    import wandb

    folder.wandb.mkdir(parents=True, exist_ok=True)
    run = wandb.init(
        # Without a mode W&B may prompt at the terminal, where a worker would wait without end.
        mode=cast(Literal["offline", "online"], mode),
        dir=folder.wandb,
        project="nerf-study",
        group=folder.name,
        name=f"{folder.name}-{trial_id}",
        # A resumed trial is the same run, on whichever machine it continues.
        id=_run_id(folder, trial_id),
        resume="allow",
        job_type=phase,
        config=dict(flatten(config)),
        reinit="finish_previous",
        settings=wandb.Settings(silent=True, **_DISABLED),
    )
    try:
        yield _WandbTracker(run)
    finally:
        run.finish()


def sync_command(folder: StudyFolder) -> str:
    """The command that uploads a study's offline runs to W&B, a trial's attempts as one run."""
    runs = shlex.quote(str(folder.wandb / "wandb"))
    return f"wandb sync --yes {runs}/offline-run-*"


def _run_id(folder: StudyFolder, trial_id: str) -> str:
    """The same for all attempts of a trial, and unique in W&B's project, which has all studies."""
    created = folder.read_spec()["created"]  # differs between studies of the same name
    digest = hashlib.sha256(f"{folder.name} {created}".encode()).hexdigest()[:8]
    return f"{digest}-{trial_id}"
