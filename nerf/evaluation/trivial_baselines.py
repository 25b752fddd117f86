"""PSNR of trivial images, which know nothing of a scene's shape: what a trained field must beat."""

from __future__ import annotations

from statistics import fmean

import numpy as np
import torch
from numpy.typing import NDArray

from nerf.evaluation.evaluate import MAX_PSNR
from nerf.evaluation.metrics import psnr
from nerf.scenes.images import Float32
from nerf.scenes.scene import Scene


def trivial_psnrs(scene: Scene) -> dict[str, float]:
    """Mean PSNR in dB, over the validation views, of three images made from the training views.

    `background`: the background colour everywhere; `mean colour`: the mean of all training pixels
    everywhere; `mean image`: the mean of all training views, where one is valid. Computed once per
    scene.
    """
    return scene.once("trivial PSNRs", lambda: _trivial_psnrs(scene))


def _trivial_psnrs(scene: Scene) -> dict[str, float]:
    total, views = _sums(scene)
    mean_colour = total.sum((0, 1)) / views.sum()
    shown = views > 0
    mean_image = np.where(shown, total / np.maximum(views, 1), mean_colour)
    trivial_images: dict[str, NDArray[np.float64] | Float32] = {
        "background": scene.background,
        "mean colour": mean_colour,
        "mean image": mean_image,
    }
    return {
        name: _validation_psnr(scene, image.astype(np.float32))
        for name, image in trivial_images.items()
    }


def _sums(scene: Scene) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum of the training views' valid colours (height, width, 3), and their number (..., 1)."""
    images = scene.images
    total = np.zeros((scene.height, scene.width, 3))
    views = np.zeros((scene.height, scene.width, 1))
    for view in scene.train:
        valid = images.valid_in(view)
        total += images[view] if valid is None else images[view] * valid[..., None]
        views += 1 if valid is None else valid[..., None]
    return total, views


def _validation_psnr(scene: Scene, image: Float32) -> float:
    """Mean PSNR of one image or colour against every validation view with valid pixels."""
    scores = []
    for view in scene.val:
        truth, valid = scene.images[view], scene.images.valid_in(view)
        if valid is None or valid.any():
            shown = torch.tensor(np.broadcast_to(image, truth.shape).copy())
            mask = None if valid is None else torch.tensor(valid)
            scores.append(min(psnr(shown, torch.tensor(truth), mask), MAX_PSNR))
    return fmean(scores)
