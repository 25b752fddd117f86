"""A training as a source of events: `train_alone` in the trial's process, without a batch.

torch, which takes seconds to import, is imported only by the process that trains.
"""

from __future__ import annotations

import importlib
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nerf.common.errors import InputError
from nerf.config.schema import NerfConfig
from nerf.scenes.scene import Scene
from study.protocol.training_events import (
    Evaluated,
    OnEvent,
    Preview,
    Started,
    Trained,
    TrainingStopped,
)

if TYPE_CHECKING:
    from nerf.evaluation.evaluate import RenderedImage
    from nerf.training.run import Progress, TrainingRun, TrainResult


@dataclass(frozen=True)
class Training:
    """The training of one trial, alone or in a batch."""

    number: int
    """The trial's."""
    config: NerfConfig
    preview_steps: tuple[int, ...]
    """Evaluations at which a preview is rendered."""
    checkpoint: Path
    """The training resumes from this file, if it exists."""


def import_torch(threads: int) -> None:
    """Imports what `train_alone` needs, for so many threads."""
    import torch

    importlib.import_module("nerf.training.loop")
    torch.set_num_threads(threads)


def train_alone(
    training: Training,
    scene: Scene,
    on_event: OnEvent,
    *,
    on_step: Callable[[int], None],
    should_stop: Callable[[], bool],
    device: str,
) -> Trained:
    """Trains in this process.

    `on_event` must remove a checkpoint whose damage it is sent. Raises what the training raises,
    and `TrainingStopped`.
    """
    from nerf.training.loop import Callbacks, Interrupted, train

    on_event(_start(training.checkpoint, device))
    callbacks = Callbacks(
        on_step=on_step,
        on_preview=previews_at(training.preview_steps, on_event),
        on_progress=lambda progress: on_event(evaluated(progress)),
        should_stop=should_stop,
    )
    try:
        result = train(
            training.config, scene, callbacks, checkpoint=training.checkpoint, device=device
        )
    except Interrupted as stopped:
        raise TrainingStopped(str(stopped)) from None
    return trained(result)


def _start(checkpoint: Path, device: str) -> Started:
    """What a training with this checkpoint starts from."""
    from nerf.training.checkpoint import load_checkpoint

    name = _device_name(device)
    if not checkpoint.exists():
        return Started(name)
    try:
        return _resumed(name, load_checkpoint(checkpoint))
    except (InputError, KeyError) as error:
        return Started(name, damage=str(error))


def restore_run(run: TrainingRun, checkpoint: bytes | None, device: str) -> Started:
    """Restores a run from the content of a checkpoint, unless that cannot be read."""
    from nerf.training.checkpoint import read_checkpoint

    name = _device_name(device)
    if checkpoint is None:
        return Started(name)
    try:
        state = read_checkpoint(checkpoint, "the checkpoint")
        started = _resumed(name, state)
    except (InputError, KeyError) as error:
        return Started(name, damage=str(error))
    run.restore(state)
    return started


def _resumed(device: str, state: dict[str, Any]) -> Started:
    return Started(device, state["step"]["number"], tuple(state["curve"]))


def evaluated(progress: Progress) -> Evaluated:
    """An evaluation as an event."""
    return Evaluated(asdict(progress))


def previews_at(
    steps: tuple[int, ...], on_event: OnEvent
) -> Callable[[int, Callable[[], RenderedImage]], None]:
    """The callback `on_preview` of a training that renders at these steps only."""

    def on_preview(step: int, render: Callable[[], RenderedImage]) -> None:
        if step in steps:
            on_event(Preview(render().rgb.numpy()))

    return on_preview


def trained(result: TrainResult) -> Trained:
    """A training's end as an event."""
    return Trained(
        state=result.state,
        reason=result.reason,
        psnr=result.psnr,
        ssim=result.ssim,
        test_psnr=result.test_psnr,
        test_ssim=result.test_ssim,
        image=result.image,
    )


def _device_name(device: str) -> str:
    """The device's name, as a trial's row has it."""
    import torch

    return torch.cuda.get_device_name() if device == "cuda" else platform.machine() + " CPU"
