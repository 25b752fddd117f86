"""Events of one training, in the trial's own process or in the process of its batch.

Plain values that need no torch to be read, in the order in which a trial handles them: at each
evaluation the checkpoint, the preview, then the evaluation, as the trial may be ended right there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nerf.config.schema import NerfConfig
from study.protocol.messages import NAN, Failure


@dataclass(frozen=True)
class Started:
    """The training begins, or resumes."""

    device: str
    """The device's name, as a trial's row has it."""
    step: int = 0
    """The step after which it resumes; 0 where it starts from the beginning."""
    curve: tuple[dict[str, Any], ...] = ()
    """The evaluations until then."""
    damage: str = ""
    """Why the checkpoint could not be read, if it could not; the training then starts again."""


@dataclass(frozen=True)
class Checkpoint:
    """The content of a checkpoint file, where the training does not write it itself."""

    content: bytes


@dataclass(frozen=True)
class Preview:
    """What the trial has learnt, as an image at a rung."""

    image: np.ndarray
    """(height, width, 3) uint8."""


@dataclass(frozen=True)
class Evaluated:
    """One evaluation."""

    point: dict[str, Any]
    """A row of the learning curve: `MEASURED`, and the metrics that the trainer reports."""


@dataclass(frozen=True)
class Trained:
    """The end of a training."""

    state: str
    """completed or collapsed."""
    reason: str
    metrics: Mapping[str, float]
    """Its final figures; the last ones of the curve stand for those that are missing."""
    image: np.ndarray | None
    """(height, width, 3) uint8, of what it has learnt."""
    memory: float = NAN
    """The peak, MiB; NaN where it is the last evaluation's, or unknown."""


@dataclass(frozen=True)
class Stopped:
    """The training was stopped before its end, as its launch is; its checkpoint is saved."""

    text: str


@dataclass(frozen=True)
class Failed:
    """The training raised an error, or its batch did."""

    failure: Failure


Event = Started | Checkpoint | Preview | Evaluated | Trained | Stopped | Failed

OnEvent = Callable[[Event], None]


class TrainingStopped(Exception):
    """The launch is to stop, and the training has saved its checkpoint."""


class TrainingFailed(Exception):
    """The training failed in another process, which has found out why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


@dataclass(frozen=True)
class JoinRequest:
    """A trial that asks to be trained in a batch."""

    member: str
    """Its name in the batch, another one for each attempt."""
    number: int
    config: NerfConfig
    checkpoint: bytes | None
    """The content of the checkpoint to resume from."""
    rungs: tuple[int, ...]
    """Steps after which a preview is rendered."""
    process: int
    """Its process on the same machine; if that dies, its place in the batch is free again."""
