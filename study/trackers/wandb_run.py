"""A trial as a Weights & Biases run."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np

from study.protocol.messages import Outcome
from study.records.schema import STATES
from study.trackers.tracker import OpenTracker, Point, TrackedTrial, WriteVideo, held_out_metrics

PROJECT = "nerf-study"

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

# A kill of the service too, as when the machine dies, costs the run no more than this many seconds.
_SAVING: dict[str, Any] = {"x_transaction_log_flush_interval": 1.0}

# Seconds that a trial waits for the service, which would otherwise be minutes, or without end.
_TIMEOUTS: dict[str, Any] = {"init_timeout": 30.0, "finish_timeout": 60.0}


class _WandbRun:
    def __init__(self, run: Any, curve: Sequence[Point]) -> None:
        self._run = run
        self._logged = {name for point in curve for name in point}

    def log(self, point: Point) -> None:
        self._run.log(dict(point), step=point["step"])
        self._logged |= point.keys()

    def end(self, outcome: Outcome, image: np.ndarray | None, write_video: WriteVideo) -> None:
        import wandb

        media: dict[str, Any] = {} if image is None else {"render": wandb.Image(image)}
        with tempfile.TemporaryDirectory() as scratch:
            if outcome.state == "completed" and (video := write_video(Path(scratch) / "video.gif")):
                # Called `film` in the panels of earlier studies in the same W&B project.
                media["film"] = wandb.Video(str(video), format="gif")
            if media:
                self._run.log(media, step=outcome.steps_done)
        self._run.summary.update(
            {
                "state": outcome.state,
                "reason": outcome.reason,
                **held_out_metrics(outcome, self._logged),
            }
        )
        others = [tag for tag in self._run.tags or () if tag not in STATES]
        self._run.tags = (*others, outcome.state)

    def close(self) -> None:
        self._run.finish()


def wandb_opener(mode: str) -> OpenTracker:
    """Opens W&B runs; `mode` is offline or online."""
    return partial(_open, mode)


def _open(mode: str, trial: TrackedTrial, curve: Sequence[Point]) -> _WandbRun:
    """Begins or resumes a run; W&B has the `curve` already, in the run's earlier part."""
    import wandb

    trial.folder.wandb.mkdir(parents=True, exist_ok=True)
    run = wandb.init(
        # Without a mode W&B may prompt at the terminal, where a worker would wait without end.
        mode=cast(Literal["offline", "online"], mode),
        dir=trial.folder.wandb,
        project=PROJECT,
        group=trial.folder.name,
        name=trial.name,
        # A resumed trial is the same run, on whichever machine it continues.
        id=trial.key,
        resume="allow",
        job_type=trial.phase,
        # Nested, as W&B's panels look for a path's parts inside one another.
        config=trial.config,
        reinit="finish_previous",
        settings=wandb.Settings(silent=True, **_SAVING, **_TIMEOUTS, **_DISABLED),
    )
    return _WandbRun(run, curve)
