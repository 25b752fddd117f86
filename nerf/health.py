"""Is this run alive? Names the reason when it is not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

import numpy as np
import torch

from nerf.metrics import psnr
from nerf.scenes.scene import Float32, Scene

State = Literal["completed", "collapsed"]


@dataclass(frozen=True)
class Verdict:
    """How a run ended; `reason` is empty where it completed."""

    state: State
    reason: str = ""


def baselines(scene: Scene) -> dict[str, float]:
    """PSNR on the validation views, in dB, of pictures that learn nothing of the scene's shape.

    `background`: the background alone; `mean colour`: the training views' mean colour;
    `mean image`: their mean picture. A field worth its name is above all three.
    """
    seen = scene.images[list(scene.train)]
    guesses: dict[str, Float32] = {
        "background": scene.background,
        "mean colour": seen.mean(axis=(0, 1, 2)),
        "mean image": seen.mean(axis=0),
    }
    return {name: _validation_psnr(scene, guess) for name, guess in guesses.items()}


def judge(loss: float, step: int, final_psnr: float, flat_colour_psnr: float) -> Verdict:
    """The verdict on a run that ended at `step` with this loss and this validation PSNR (dB)."""
    if not math.isfinite(loss):
        return Verdict("collapsed", f"diverged: the loss was {loss} at step {step}")
    if final_psnr <= flat_colour_psnr:
        return Verdict(
            "collapsed",
            f"learnt nothing: {final_psnr:.1f} dB on held-out views, where one flat colour has "
            f"{flat_colour_psnr:.1f} dB",
        )
    return Verdict("completed")


def _validation_psnr(scene: Scene, guess: Float32) -> float:
    scores = []
    for view in scene.val:
        truth = torch.tensor(scene.images[view])
        scores.append(psnr(torch.tensor(np.broadcast_to(guess, truth.shape).copy()), truth))
    return fmean(scores)
