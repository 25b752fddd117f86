"""All trackers of one trial; one that fails is dropped, and costs the trial nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from study.protocol.messages import Outcome
from study.spec.study_spec import StudySpec
from study.trackers.mlflow_run import open_mlflow
from study.trackers.tensorboard_run import open_tensorboard
from study.trackers.tracker import OpenTracker, Point, TrackedTrial, Tracker, WriteVideo
from study.trackers.wandb_run import wandb_opener

_LONGEST = 200  # characters of an error in a notice

_OPENERS: dict[str, OpenTracker] = {"TensorBoard": open_tensorboard, "MLflow": open_mlflow}


def no_video(path: Path) -> None:
    """A `WriteVideo` that writes none."""


class Trackers:
    """Passes on what happens to a trial to each tracker of its study, until that fails."""

    def __init__(self, spec: StudySpec, trial: TrackedTrial, notify: Callable[[str], None]) -> None:
        """`notify` receives one line where a tracker fails, the same for all trials."""
        self._openers = {n: o for n, o in _OPENERS.items() if n.lower() in spec.trackers}
        if spec.wandb != "off":
            self._openers["W&B"] = wandb_opener(spec.wandb)
        self._trial = trial
        self._notify = notify
        self._open: dict[str, Tracker] = {}

    def start(self, curve: Sequence[Point]) -> None:
        """Opens the trial's runs: it begins, or resumes after the evaluations in `curve`."""
        for name, opener in self._openers.items():
            try:
                self._open[name] = opener(self._trial, curve)
            except Exception as error:
                self._drop(name, error)

    def log(self, point: Point) -> None:
        """Logs one evaluation."""
        self._each(lambda tracker: tracker.log(point))

    def end(
        self, outcome: Outcome, image: np.ndarray | None = None, write_video: WriteVideo = no_video
    ) -> None:
        """Logs how the attempt ended, with its render if it made one."""
        self._each(lambda tracker: tracker.end(outcome, image, write_video))

    def close(self) -> None:
        """Closes all runs."""
        self._each(lambda tracker: tracker.close())
        self._open.clear()

    def _each(self, act: Callable[[Tracker], None]) -> None:
        for name, tracker in list(self._open.items()):
            try:
                act(tracker)
            except Exception as error:
                self._drop(name, error)

    def _drop(self, name: str, error: Exception) -> None:
        if tracker := self._open.pop(name, None):
            with suppress(Exception):
                tracker.close()
        reason = _describe(error).replace(self._trial.trial_id, "ID")
        self._notify(f"{name} is not written to: {reason}; training goes on without it")


def _describe(error: Exception) -> str:
    """The error in one line, without what differs from run to run."""
    text = re.sub(r"<(\S+) object at 0x[0-9a-f]+>", r"\1", str(error))
    text = re.sub(r"\b[0-9a-f]{32}\b", "ID", text)
    line = " ".join(f"{type(error).__name__}: {text}".split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."
