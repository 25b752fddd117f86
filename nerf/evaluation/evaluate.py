"""Held-out views, rendered without any randomness, against their photographs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from nerf.evaluation.metrics import SSIM_WINDOW, psnr, ssim
from nerf.model.nerf import Nerf
from nerf.scenes.cameras.pixel_rays import view_directions, view_pixels
from nerf.scenes.scene import Float32, Scene, Split

SAMPLES_AT_ONCE = 131_072
"""Samples that are rendered at once: without gradients more of them pay than in training."""

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

    rgb: Float[Tensor, "*grid 3"]
    """Colours in [0, 1]."""
    depth: Float[Tensor, " *grid"]
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
    views, stride = scene.views(split), grid_stride(scene, split, pixels)
    truths = torch.tensor(np.stack([view_pixels(scene, view, stride) for view in views]))
    rendered = render_views(model, scene, views, stride).rgb
    shown = list(zip(rendered, truths, strict=True))
    return Quality(
        fmean(min(psnr(view, truth), FLAWLESS) for view, truth in shown),
        fmean(ssim(view, truth) for view, truth in shown),
    )


def render_view(model: Nerf, scene: Scene, view: int, stride: int = 1) -> Picture:
    """Every `stride`-th pixel of a view as the model sees it."""
    seen = render_views(model, scene, [view], stride)
    return Picture(seen.rgb[0], seen.depth[0])


def render_views(model: Nerf, scene: Scene, views: Sequence[int], stride: int) -> Picture:
    """The same for several views: (views, rows, columns)."""
    directions = np.stack([view_directions(scene, view, stride) for view in views])
    origins = torch.tensor(scene.world_from_camera[list(views), :3, 3])[:, None, None]
    return render_rays(
        model, origins.expand(directions.shape), torch.tensor(directions), scene.background
    )


def render_rays(
    model: Nerf,
    origins: Float[Tensor, "*grid 3"],
    directions: Float[Tensor, "*grid 3"],
    background: Float32,
) -> Picture:
    """The finest rendering of a grid of rays, as many at a time as render fastest."""
    device = next(model.parameters()).device
    behind = torch.tensor(background, device=device)
    samples = model.config.sampling.coarse + model.config.sampling.fine
    rays = directions[..., 0].numel()
    chunks = math.ceil(rays * samples / SAMPLES_AT_ONCE)  # of equal size, or nearly
    rgb, depth = [], []
    with torch.inference_mode():
        for o, d in zip(
            torch.tensor_split(origins.reshape(-1, 3), chunks),
            torch.tensor_split(directions.reshape(-1, 3), chunks),
            strict=True,
        ):
            rendering = model(o.to(device), d.to(device), behind)[-1]
            rgb.append(rendering.rgb.clamp(0, 1).cpu())
            depth.append(rendering.depth.cpu())
    grid = directions.shape[:-1]
    return Picture(torch.cat(rgb).reshape(*grid, 3), torch.cat(depth).reshape(grid))


def beside_truth(model: Nerf, scene: Scene, view: int) -> np.ndarray:
    """A picture (height, 2 width, 3), uint8: the view as rendered, and its photograph."""
    rendered = render_view(model, scene, view).rgb.numpy()
    # A diverged field renders no numbers; black shows that better than a crash.
    both = np.concatenate((np.nan_to_num(rendered), scene.images[view]), axis=1)
    return (both * 255 + 0.5).astype(np.uint8)
