"""Renders held-out views, without randomness, and compares them with their photographs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from nerf.config.image_metrics import IMAGE_METRICS
from nerf.evaluation.image_metrics import mean_over_views, measure_registered
from nerf.evaluation.metrics import SSIM_WINDOW, psnr, ssim
from nerf.model.nerf import Nerf
from nerf.scenes.cameras.pixel_rays import view_directions, view_pixels
from nerf.scenes.images import Float32, box_of
from nerf.scenes.scene import Scene, Split

RENDER_CHUNK_SAMPLES = {"cpu": 32_768, "cuda": 1_048_576}
"""Samples rendered at once, by device.

A GPU needs many to be busy. On a CPU, activations of too many do not fit its caches (LOG.md, "an
image depended on how its rays were cut").
"""

MAX_PSNR = 100.0
"""Limit of a single view's PSNR in dB: the infinity of a view without error would swamp the mean
over views."""


@dataclass(frozen=True)
class ViewQuality:
    """PSNR (dB) and SSIM of one view, on every `stride`-th row and column of its pixels.

    NaN for a view without a valid pixel, or without room for SSIM's window.
    """

    view: int
    psnr: float
    ssim: float
    stride: int


@dataclass(frozen=True)
class Quality:
    """PSNR (dB) and SSIM, each the mean over views, and the contrast of what was rendered."""

    psnr: float
    ssim: float
    contrast: float
    """Standard deviation of the rendered colours over all pixels of all views, largest channel."""
    views: tuple[ViewQuality, ...]
    registered: Mapping[str, float]
    """The metrics of plugins, each the mean over views."""


@dataclass(frozen=True)
class RenderedImage:
    """Colour and depth of a grid of rays, such as (rows, columns), on the CPU."""

    rgb: Float[Tensor, "*grid 3"]
    """In [0, 1]; NaN where the field has diverged."""
    depth: Float[Tensor, " *grid"]
    """Expected distance along the ray, scene units."""


def grid_stride(scene: Scene, split: Split, pixels: int) -> int:
    """Stride, along rows and columns, of a pixel grid with about `pixels` pixels over all views.

    At most so wide that each view still has room for SSIM's window and the metrics of plugins.
    """
    available = len(scene.views(split)) * scene.height * scene.width
    stride = math.ceil(math.sqrt(max(available / pixels, 1)))
    side = max(SSIM_WINDOW, IMAGE_METRICS.smallest_side)
    widest = max(min(scene.height, scene.width) // side, 1)
    return min(stride, widest)


def evaluate(model: Nerf, scene: Scene, split: Split, pixels: int) -> Quality:
    """Means over the views of a split, on a grid of about `pixels` pixels in all.

    Pixels that are not valid do not count; nor does a view without a valid one.
    """
    views, stride = scene.views(split), grid_stride(scene, split, pixels)
    rendered = render_views(model, scene, views, stride).rgb
    psnrs, ssims, registered, every = [], [], [], []
    for shown, view in zip(rendered, views, strict=True):
        image, truth, valid = _valid_part(scene, view, stride, shown)
        measured = math.nan, math.nan
        if valid is None or valid.any():
            measured = min(psnr(image, truth, valid), MAX_PSNR), ssim(image, truth, valid)
            psnrs.append(measured[0])
            ssims.append(measured[1])
            registered.append(measure_registered(image, truth, valid))
        every.append(ViewQuality(view, *measured, stride))
    if scene.images.valid is not None:  # a small valid part may have no room for SSIM's window
        ssims = [value for value in ssims if not math.isnan(value)]
    mean_psnr, means = fmean(psnrs) if psnrs else math.nan, mean_over_views(registered)
    if math.isnan(mean_psnr):  # a field that has diverged on one view is not good on others
        means = dict.fromkeys(means, math.nan)
    return Quality(
        mean_psnr,
        fmean(ssims) if ssims else math.nan,
        rendered.reshape(-1, 3).std(dim=0).max().item(),
        tuple(every),
        means,
    )


def _valid_part(
    scene: Scene, view: int, stride: int, rendered: Tensor
) -> tuple[Tensor, Tensor, Tensor | None]:
    """A view as rendered and its photograph, in the box of its valid pixels, and which are valid.

    So a smaller photograph among larger ones is measured as it would be alone.
    """
    truth, first = torch.tensor(view_pixels(scene, view, stride)), stride // 2
    whole = scene.images.valid_in((view, slice(first, None, stride), slice(first, None, stride)))
    if whole is None:
        return rendered, truth, None
    top, left, height, width = box_of(whole)
    box = slice(top, top + height), slice(left, left + width)
    valid = torch.tensor(whole[box])
    return rendered[box], truth[box], None if valid.all() else valid


def render_view(model: Nerf, scene: Scene, view: int, stride: int = 1) -> RenderedImage:
    """Renders every `stride`-th row and column of a view: a grid of (rows, columns)."""
    views = render_views(model, scene, [view], stride)
    return RenderedImage(views.rgb[0], views.depth[0])


def render_views(model: Nerf, scene: Scene, views: Sequence[int], stride: int) -> RenderedImage:
    """Renders every `stride`-th row and column of several views: (views, rows, columns)."""
    directions = np.stack([view_directions(scene, view, stride) for view in views])
    origins = torch.tensor(scene.world_from_camera[list(views), :3, 3])[:, None, None]
    background = evaluation_background(model, scene)
    return render_rays(
        model, origins.expand(directions.shape), torch.tensor(directions), background
    )


def evaluation_background(model: Nerf, scene: Scene) -> Float32:
    """The colour of a ray that hits nothing, in evaluation: the scene's, so that runs compare.

    Photographs without alphas are the same before any background: there it is the colour that
    optimisation.background gave the model in training.
    """
    background = model.config.optimisation.background
    if scene.images.alphas is None and background in ("white", "black"):
        return scene.with_background(background).background
    return scene.background


def render_rays(
    model: Nerf,
    origins: Float[Tensor, "*grid 3"],
    directions: Float[Tensor, "*grid 3"],
    background: Float32,
) -> RenderedImage:
    """Renders a grid of rays by the last pass, in chunks; `directions` have unit length."""
    device = next(model.parameters()).device
    behind = torch.tensor(background, device=device)
    samples = model.config.sampling.coarse + model.config.sampling.fine
    rays = directions[..., 0].numel()
    # tensor_split makes chunks of equal size, give or take a ray: no small, slow one at the end.
    chunks = math.ceil(rays * samples / RENDER_CHUNK_SAMPLES[device.type])
    # Copied to a GPU and back once, not chunk by chunk: the host waits for each copy.
    starts, towards = (each.reshape(-1, 3).to(device) for each in (origins, directions))
    rgb, depth = [], []
    with torch.inference_mode():
        for o, d in zip(
            torch.tensor_split(starts, chunks), torch.tensor_split(towards, chunks), strict=True
        ):
            rendering = model(o, d, behind)[-1]
            rgb.append(rendering.rgb.clamp(0, 1))
            depth.append(rendering.depth)
    grid = directions.shape[:-1]
    return RenderedImage(
        torch.cat(rgb).cpu().reshape(*grid, 3), torch.cat(depth).cpu().reshape(grid)
    )


def render_beside_photograph(model: Nerf, scene: Scene, view: int) -> np.ndarray:
    """A view as rendered (left) and its photograph (right): (height, 2 width, 3) uint8."""
    rendered = render_view(model, scene, view).rgb.numpy()
    # A diverged field renders NaN, shown as black.
    top, left, height, width = scene.images.frame(view)
    box = slice(top, top + height), slice(left, left + width)
    both = np.concatenate((np.nan_to_num(rendered)[box], scene.images[view][box]), axis=1)
    return (both * 255 + 0.5).astype(np.uint8)
