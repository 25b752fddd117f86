"""Held-out views, rendered without any randomness, against their photographs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import torch
from torch import Tensor

from nerf.cameras import view_directions, view_pixels
from nerf.metrics import SSIM_WINDOW, psnr, ssim
from nerf.model import Nerf
from nerf.scenes.scene import Float32, Scene, Split
from nerf.shapes import Float

RAYS_AT_ONCE = 4096

FLAWLESS = 100.0
"""dB that a view without any error counts for; its infinity would drown the other views."""


@dataclass(frozen=True)
class Quality:
    """PSNR (dB) and SSIM, each the mean over views."""

    psnr: float
    ssim: float


@dataclass(frozen=True)
class Picture:
    """What a grid of rays shows, on the CPU."""

    rgb: Float[Tensor, "rows columns 3"]
    """Colours in [0, 1]."""
    depth: Float[Tensor, "rows columns"]
    """Expected distance, scene units."""


def grid_stride(scene: Scene, split: Split, pixels: int) -> int:
    """The stride of a regular grid that takes at most about `pixels` pixels of a split's views.

    Never so wide that a view is smaller than SSIM's window.
    """
    available = len(scene.views(split)) * scene.height * scene.width
    wanted = math.ceil(math.sqrt(max(available / pixels, 1)))
    widest = max(min(scene.height, scene.width) // SSIM_WINDOW, 1)
    return min(wanted, widest)


def evaluate(model: Nerf, scene: Scene, split: Split, pixels: int) -> Quality:
    """Quality on a grid of about `pixels` pixels over all views of a split."""
    stride = grid_stride(scene, split, pixels)
    scores = []
    for view in scene.views(split):
        rendered = render_view(model, scene, view, stride).rgb
        truth = torch.tensor(view_pixels(scene, view, stride))
        scores.append((min(psnr(rendered, truth), FLAWLESS), ssim(rendered, truth)))
    return Quality(fmean(score[0] for score in scores), fmean(score[1] for score in scores))


def render_view(model: Nerf, scene: Scene, view: int, stride: int = 1) -> Picture:
    """Every `stride`-th pixel of a view as the model sees it."""
    directions = torch.tensor(view_directions(scene, view, stride))
    origin = torch.tensor(scene.world_from_camera[view, :3, 3])
    return render_rays(model, origin.expand(directions.shape), directions, scene.background)


def render_rays(
    model: Nerf,
    origins: Float[Tensor, "rows columns 3"],
    directions: Float[Tensor, "rows columns 3"],
    background: Float32,
) -> Picture:
    """The finest rendering of a grid of rays, some thousand at a time."""
    device = next(model.parameters()).device
    behind = torch.tensor(background, device=device)
    chunks = zip(
        torch.split(origins.reshape(-1, 3), RAYS_AT_ONCE),
        torch.split(directions.reshape(-1, 3), RAYS_AT_ONCE),
        strict=True,
    )
    rgb, depth = [], []
    with torch.inference_mode():
        for o, d in chunks:
            rendering = model(o.to(device), d.to(device), behind)[-1]
            rgb.append(rendering.rgb.clamp(0, 1).cpu())
            depth.append(rendering.depth.cpu())
    rows, columns, _ = directions.shape
    return Picture(
        torch.cat(rgb).reshape(rows, columns, 3), torch.cat(depth).reshape(rows, columns)
    )


def beside_truth(model: Nerf, scene: Scene, view: int) -> np.ndarray:
    """A picture (height, 2 width, 3), uint8: the view as rendered, and its photograph."""
    rendered = render_view(model, scene, view).rgb.numpy()
    # A diverged field renders no numbers; black shows that better than a crash.
    both = np.concatenate((np.nan_to_num(rendered), scene.images[view]), axis=1)
    return (both * 255 + 0.5).astype(np.uint8)
