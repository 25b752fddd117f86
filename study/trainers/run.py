"""The trial as its trainer sees it: what it is to train on, and how it reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import numpy as np

from nerf.common.errors import InputError

if TYPE_CHECKING:
    from nerf.scenes.scene import Scene

State = Mapping[str, Any]
"""What a checkpoint holds: tensors, arrays, numbers and text, in dicts and lists."""

Image = np.ndarray
"""(height, width) or (height, width, 3): uint8, or floats in 0..1."""


class TrainerMistake(InputError):
    """The trainer's code breaks a rule of `Run`, so that every trial would fail."""


class TrialStopped(BaseException):
    """Ends `train` where `run.should_stop`, from inside a loop that is not the trainer's own.

    The trial has saved its checkpoint. No `except Exception` may catch it.
    """


class Run(Protocol):
    """One attempt at a trial, as `train(config, run)` receives it.

    A trainer calls `report` or reads `should_stop` at least every `--patience` seconds; one that is
    silent for longer is taken to hang, and ended. What it returns, a dict of numbers or None, are
    figures of the trained model, such as a test error: columns of the table of trials.
    """

    steps: int
    """The full budget, `--steps`: the last `report` of a trial that ends well is of this step."""
    seed: int
    """Of every random draw; each trial has another one."""
    device: str
    """`cpu`, or `cuda` with --gpus-per-trial; torch's default for new tensors is left as it is."""
    scene: Scene | None
    """The scene of `--scene`; None without that option."""
    checkpoint_file: Path
    """Where the trial's checkpoint is, for a trainer that reads and writes this file by itself."""
    patience: float
    """`--patience`, for a trainer that waits for something else, which may hang."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """What every report must have: the metrics that the study ranks trials by."""

    @property
    def folder(self) -> Path:
        """A folder of the trial's own, for files of any kind: each of its attempts finds them.

        Removed as the trial ends, like its checkpoint.
        """

    def report(self, step: int, /, **metrics: float) -> None:
        """Adds a point to the learning curve: `run.report(step, loss=0.1, accuracy=0.9)`.

        `step` counts from 1 to `steps` and rises. The metric that the study ranks trials by
        (`--metric`) must be among them. Does not return where the trial is pruned.

        `seconds` of training so far and the peak `memory` in MiB are measured where a trainer does
        not report them itself, as one that trains in another process should.
        """

    def image(self, name: str, image: Image | Callable[[], Image], /) -> None:
        """Sets an image that shows what the trial has learnt; the last one of each name counts.

        A function in place of an image is called only where it is shown: as the trial may be
        pruned, and at its end. Images of several names stand side by side.
        """

    def checkpoint(self, state: State, /) -> None:
        """Saves what `restored` gives the next attempt; written by the next call of a method.

        Best called after `report`, about as often, and before returning where `should_stop`.
        """

    @property
    def restored(self) -> dict[str, Any] | None:
        """The state of the last checkpoint of an interrupted or failed attempt; None without one.

        Tensors are on the CPU.
        """

    @property
    def should_stop(self) -> bool:
        """Whether the launch is to end: save a checkpoint and return; cheap to ask."""

    def log(self, text: str, /) -> None:
        """Writes to the trial's log, `logs/` in the study folder."""

    def fail(self, reason: str, /, **metrics: float) -> NoReturn:
        """Ends the trial as collapsed: it cannot learn any more. `metrics` are as those returned.

        `reason` is one line: what is wrong, and what to change.
        """

    def resume(self, step: int, curve: Sequence[Mapping[str, Any]], /) -> None:
        """Says, first of all, that a trainer with its own `checkpoint_file` resumes after a step.

        curve: what it had reported until then
        """

    def discard_checkpoint(self, why: str, /) -> None:
        """Sets aside a `checkpoint_file` that cannot be read; the trial starts again."""
