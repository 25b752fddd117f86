"""PSNR of trivial images, which know nothing of a scene's shape: what a trained field must beat."""

from __future__ import annotations

from statistics import fmean

import numpy as np
import torch

from nerf.evaluation.metrics import psnr
from nerf.scenes.scene import Float32, Scene


def trivial_psnrs(scene: Scene) -> dict[str, float]:
    """Mean PSNR in dB, over the validation views, of three images made from the training views.

    `background`: the background colour everywhere; `mean colour`: the mean of all training pixels
    everywhere; `mean image`: the mean of all training views.
    """
    training_images = scene.images[list(scene.train)]
    trivial_images: dict[str, Float32] = {
        "background": scene.background,
        "mean colour": training_images.mean(axis=(0, 1, 2)),
        "mean image": training_images.mean(axis=0),
    }
    return {name: _validation_psnr(scene, image) for name, image in trivial_images.items()}


def _validation_psnr(scene: Scene, image: Float32) -> float:
    """Mean PSNR of one image or colour against every validation view."""
    scores = []
    for view in scene.val:
        truth = torch.tensor(scene.images[view])
        scores.append(psnr(torch.tensor(np.broadcast_to(image, truth.shape).copy()), truth))
    return fmean(scores)
