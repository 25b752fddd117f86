"""The NeRF's training as a source of events, for a batch of trials (`batch_runs`).

torch, which takes seconds to import, is imported only by the process that trains.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nerf.common.errors import InputError
from nerf.config.schema import NerfConfig
from study.protocol.training_events import Evaluated, OnEvent, Preview, Started, Trained
from study.search.successive_halving import reached_rung
from study.trainers.nerf_trainer import beside_photograph, final_metrics
from study.worker.trial_run import device_name

if TYPE_CHECKING:
    from nerf.evaluation.evaluate import RenderedImage
    from nerf.training.run import Progress, TrainingRun, TrainResult


@dataclass(frozen=True)
class Training:
    """The training of one trial in a batch."""

    number: int
    """The trial's."""
    config: NerfConfig
    rungs: tuple[int, ...]
    """Steps after which a preview is rendered, as the trial may be pruned."""
    scene: str
    """The label of its scene, in a study of several."""
    checkpoint: Path
    """The training resumes from this file, if it exists."""


def restore_run(run: TrainingRun, checkpoint: bytes | None, device: str) -> Started:
    """Restores a run from the content of a checkpoint, unless that cannot be read."""
    from nerf.training.checkpoint import read_checkpoint

    name = device_name(device)
    if checkpoint is None:
        return Started(name)
    try:
        state = read_checkpoint(checkpoint, "the checkpoint")
        started = Started(name, state["step"]["number"], tuple(state["curve"]))
    except (InputError, KeyError) as error:
        return Started(name, damage=str(error))
    run.restore(state)
    return started


def evaluated(progress: Progress) -> Evaluated:
    """An evaluation as an event."""
    return Evaluated(progress.to_point())


def previews_at(
    rungs: tuple[int, ...], run: TrainingRun, on_event: OnEvent
) -> Callable[[int, Callable[[], RenderedImage]], None]:
    """The callback `on_preview` of a training that renders where a rung is reached."""

    def on_preview(step: int, render: Callable[[], RenderedImage]) -> None:
        before = [point.step for point in run.curve if point.step < step]
        budget = run.config.optimisation.steps
        if reached_rung(before[-1] if before else 0, step, rungs, budget) is not None:
            on_event(Preview(beside_photograph(render().rgb.numpy(), run.scene)))

    return on_preview


def trained(result: TrainResult) -> Trained:
    """A training's end as an event."""
    return Trained(result.state, result.reason, final_metrics(result), result.image)
