"""Training loop of one NeRF: config and scene in, held-out quality and an image out.

`train` reports through callbacks and imports nothing of its callers. All random numbers come from
generators seeded by the config and saved in the checkpoint, so that a resumed run equals an
uninterrupted one bit for bit.

A loop does not train by itself: `TrainingLoop.after_step` does what is due after a step, whether
the run took that step alone or in a batch (nerf.training.batch).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nerf.config.schema import NerfConfig
from nerf.evaluation.evaluate import RenderedImage
from nerf.scenes.scene import Scene
from nerf.training.checkpoint import CheckpointWriter, load_checkpoint
from nerf.training.health import HEALTHY
from nerf.training.run import Progress, TrainingRun, TrainResult
from nerf.training.schedule import evaluation_steps

HEALTH_CHECK_INTERVAL = 20
"""Steps between two checks of a run's health."""


class Interrupted(Exception):
    """The run was stopped before its end, after writing a checkpoint."""


def _ignore(*_: Any) -> None:
    pass


@dataclass(frozen=True)
class Callbacks:
    """What a training calls, each by default without effect."""

    on_step: Callable[[int], None] = _ignore
    """Called with the number of each step."""
    on_preview: Callable[[int, Callable[[], RenderedImage]], None] = _ignore
    """Called at each evaluation with the step and a function that renders the first validation
    view."""
    on_progress: Callable[[Progress], None] = _ignore
    """Called at each evaluation, after `on_preview`."""
    should_stop: Callable[[], bool] = lambda: False
    """Called after each step without an evaluation; if it returns True, the run is saved and
    `Interrupted` is raised."""


NO_CALLBACKS = Callbacks()


def train(
    config: NerfConfig,
    scene: Scene,
    callbacks: Callbacks = NO_CALLBACKS,
    *,
    checkpoint: Path | None = None,
    device: str = "cpu",
) -> TrainResult:
    """Trains one NeRF; resumes from the file `checkpoint` if that exists, and writes it.

    Raises `Interrupted`, and `InputError` if the checkpoint is unreadable or of another run.
    """
    run = TrainingRun(config, scene, device)
    try:
        if checkpoint and checkpoint.exists():
            run.restore(load_checkpoint(checkpoint))
        return train_to_end(run, callbacks, checkpoint)
    finally:
        run.release()


def train_to_end(
    run: TrainingRun, callbacks: Callbacks = NO_CALLBACKS, checkpoint: Path | None = None
) -> TrainResult:
    """Trains `run` until its last step or a collapse, and returns how it ended.

    Raises `Interrupted`.
    """
    loop = TrainingLoop(run, callbacks, checkpoint)
    while not loop.is_finished:
        run.advance()
        loop.after_step()
    return run.result()


class TrainingLoop:
    """Does what is due after each step of a run; whoever owns the loop takes the steps.

    The run is saved in `checkpoint`, a file or a function of its content, at each evaluation and
    from time to time between.
    """

    def __init__(
        self,
        run: TrainingRun,
        callbacks: Callbacks = NO_CALLBACKS,
        checkpoint: Path | Callable[[bytes], None] | None = None,
    ) -> None:
        self.run = run
        self._callbacks = callbacks
        self._writer = CheckpointWriter(checkpoint)
        self._evaluated_after = frozenset(evaluation_steps(run.config))
        run.start_clock()

    @property
    def is_finished(self) -> bool:
        """Whether the run has taken its last step or collapsed; its `result` says how it ended."""
        run = self.run
        return run.steps_done >= run.config.optimisation.steps or run.verdict != HEALTHY

    def after_step(self) -> None:
        """Checks health, evaluates, writes the checkpoint and calls back, each if it is due."""
        run = self.run
        evaluation_is_due = run.steps_done in self._evaluated_after
        self._callbacks.on_step(run.steps_done)
        if run.steps_done % HEALTH_CHECK_INTERVAL == 0 or evaluation_is_due:
            run.check_health()
        # A collapsed run is evaluated a last time.
        if evaluation_is_due or run.verdict != HEALTHY:
            run.stop_clock()
            progress = run.evaluate()
            self._writer.write(run.state)
            # Last the callbacks: the process may be ended in them, and must lose nothing.
            self._callbacks.on_preview(run.steps_done, run.render_preview)
            self._callbacks.on_progress(progress)
            run.start_clock()
        elif self._callbacks.should_stop() or self._writer.is_due():
            run.stop_clock()
            self._writer.write(run.state)
            if self._callbacks.should_stop():
                raise Interrupted(f"stopped after step {run.steps_done}")
            run.start_clock()
