"""The PSNR of pictures that show nothing of a scene's shape: what a living field must be above."""

from __future__ import annotations

from statistics import fmean

import numpy as np
import torch

from nerf.evaluation.metrics import psnr
from nerf.scenes.scene import Float32, Scene


def baselines(scene: Scene) -> dict[str, float]:
    """PSNR on the validation views, in dB, of three guesses made from the training views.

    `background`: the background alone; `mean colour`: one flat colour; `mean image`: the same
    picture from everywhere.
    """
    seen = scene.images[list(scene.train)]
    guesses: dict[str, Float32] = {
        "background": scene.background,
        "mean colour": seen.mean(axis=(0, 1, 2)),
        "mean image": seen.mean(axis=0),
    }
    return {name: _validation_psnr(scene, guess) for name, guess in guesses.items()}


def _validation_psnr(scene: Scene, guess: Float32) -> float:
    scores = []
    for view in scene.val:
        truth = torch.tensor(scene.images[view])
        scores.append(psnr(torch.tensor(np.broadcast_to(guess, truth.shape).copy()), truth))
    return fmean(scores)
