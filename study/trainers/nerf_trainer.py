"""This project's NeRF as a trainer: `train(config, run)` by the same doors as any other.

`--trainable study.trainers.nerf_trainer:train` trains it so, too. torch, which takes seconds to
import, is imported as a trial begins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from nerf.common.errors import InputError
from nerf.config.schema import NerfConfig
from nerf.scenes.scene import Scene
from study.trainers.run import Run

if TYPE_CHECKING:
    from nerf.evaluation.evaluate import RenderedImage
    from nerf.training.run import Progress, TrainResult

RENDER = "render"
"""Name of its image: the first validation view, beside its photograph."""


def train(config: NerfConfig, run: Run) -> Mapping[str, float]:
    """Trains one NeRF on `run.scene`; returns its final figures on validation and test views."""
    from nerf.training.loop import Callbacks, Interrupted, train

    scene = run.scene
    if scene is None:
        raise InputError("a NeRF needs a scene; name one by --scene")

    def on_preview(step: int, render: Callable[[], RenderedImage]) -> None:
        run.image(RENDER, lambda: beside_photograph(render().rgb.numpy(), scene))

    def on_progress(progress: Progress) -> None:
        point = progress.to_point()
        run.report(point.pop("step"), **point)

    _resume(run)
    callbacks = Callbacks(
        on_preview=on_preview, on_progress=on_progress, should_stop=lambda: run.should_stop
    )
    try:
        result = train(config, scene, callbacks, checkpoint=run.checkpoint_file, device=run.device)
    except Interrupted:
        return {}
    run.image(RENDER, result.image)
    if result.state == "collapsed":
        run.fail(result.reason, **final_metrics(result))
    return final_metrics(result)


def final_metrics(result: TrainResult) -> dict[str, float]:
    """The figures of a trained NeRF."""
    return {
        "psnr": result.psnr,
        "ssim": result.ssim,
        "test_psnr": result.test_psnr,
        "test_ssim": result.test_ssim,
        **result.registered,
    }


def beside_photograph(rgb: np.ndarray, scene: Scene) -> np.ndarray:
    """(height, 2 width, 3) uint8: the first validation view beside its photograph.

    rgb: (height, width, 3) float, possibly not finite; the photograph is subsampled to its height
    """
    photograph = scene.images[scene.val[0]]
    stride = -(-photograph.shape[0] // rgb.shape[0])  # rounded up
    both = np.concatenate((np.nan_to_num(rgb), photograph[::stride, ::stride]), axis=1)
    return (both * 255 + 0.5).astype(np.uint8)


def _resume(run: Run) -> None:
    """Reports what the checkpoint holds; sets one aside that cannot be read."""
    from nerf.training.checkpoint import load_checkpoint

    if not run.checkpoint_file.exists():
        return
    try:
        state = load_checkpoint(run.checkpoint_file)
        step, curve = state["step"]["number"], state["curve"]
    except (InputError, KeyError) as error:
        run.discard_checkpoint(str(error))
        return
    run.resume(step, curve)
