"""What a tracker is: another tool that receives a trial's parameters, curve, render and outcome."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from nerf.config.parameters import Value
from study.protocol.messages import Outcome
from study.records.study_folder import StudyFolder

Point = Mapping[str, Any]
"""One evaluation: `step`, and the metrics there."""

WriteVideo = Callable[[Path], Path | None]
"""Writes a video to a path and returns it, or None where it writes none."""


@dataclass(frozen=True)
class TrackedTrial:
    """The trial that a tracker shows as one run."""

    folder: StudyFolder
    """The study's; on a machine without it a scratch folder of the same name."""
    trial_id: str
    phase: str
    parameters: Mapping[str, Value]
    """The configuration by paths such as `field.width`."""
    varied: tuple[str, ...]
    """Paths of the parameters that differ between trials of the study."""
    metric: str = "psnr"
    """By which the study ranks its trials."""
    derived: tuple[str, ...] = ()
    """Paths of parameters that follow from others."""

    @property
    def name(self) -> str:
        return f"{self.folder.name}-{self.trial_id}"

    @property
    def key(self) -> str:
        return run_key(self.folder, self.trial_id)

    @property
    def config(self) -> dict[str, Any]:
        """The configuration as nested dicts, without parameters that follow from others."""
        nested: dict[str, Any] = {}
        for path, value in self.parameters.items():
            *sections, name = path.split(".")
            place = nested
            for section in sections:
                place = place.setdefault(section, {})
            if path not in self.derived:
                place[name] = value
        return nested


class Tracker(Protocol):
    """One trial's run in another tool; every method may raise, which `Trackers` handles."""

    def log(self, point: Point) -> None:
        """Logs one evaluation of the curve."""

    def end(self, outcome: Outcome, image: np.ndarray | None, write_video: WriteVideo) -> None:
        """Logs how the attempt ended: its render, if it made one, and the video if one is written.

        An attempt that failed may be followed by another, which continues the same run.
        """

    def close(self) -> None:
        """Releases the run, whether or not the attempt has ended; called once."""


def run_key(folder: StudyFolder, trial_id: str) -> str:
    """The same for all attempts of a trial, and unique among studies of the same name."""
    created = folder.read_spec()["created"]
    digest = hashlib.sha256(f"{folder.name} {created}".encode()).hexdigest()[:8]
    return f"{digest}-{trial_id}"


OpenTracker = Callable[[TrackedTrial, Sequence[Point]], Tracker]
"""Begins a trial's run, or continues it after the evaluations that are given."""


def metrics(point: Point) -> dict[str, float]:
    """The metrics of an evaluation, by name."""
    return {name: float(value) for name, value in point.items() if name != "step"}


def held_out_metrics(outcome: Outcome, logged: Container[str]) -> dict[str, float]:
    """The metrics that only the end has, such as those on test views; others were `logged`."""
    return {name: value for name, value in outcome.metrics.items() if name not in logged}
