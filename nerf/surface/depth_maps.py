"""Depth maps of a trained NeRF, seen by ideal pinhole cameras at the poses of a scene's views."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from nerf.model.nerf import Nerf
from nerf.model.rendering import Rendering
from nerf.scenes.cameras.pinhole import Pinhole
from nerf.scenes.scene import Scene

MIN_OPACITY = 0.5
"""Share of light that a ray must lose between near and far to have hit a surface."""

_CHUNK_SAMPLES = 262_144


@dataclass(frozen=True)
class DepthMap:
    """What a camera sees of the first surface along each ray."""

    camera: Pinhole
    rgb: Float[Tensor, "rows columns 3"]
    """Colours in [0, 1] of the surface alone, without the background."""
    depth: Float[Tensor, "rows columns"]
    """Distance along the ray, scene units, at which half of the light that is stopped has been."""
    hit: Bool[Tensor, "rows columns"]
    """Whether the ray is stopped: its opacity is at least `MIN_OPACITY`."""
    points: Float[Tensor, "rows columns 3"]
    """Where that is in the world."""


def camera_of(scene: Scene, view: int, max_pixels: int) -> Pinhole:
    """The pinhole camera of a view's valid pixels, at most `max_pixels` of the same proportions.

    So that it does not look where the view shows nothing: at padding, and at what masks leave out.
    """
    top, left, full_height, full_width = scene.images.frame(view)
    scale = min(math.sqrt(max_pixels / (full_height * full_width)), 1.0)
    height, width = max(int(full_height * scale), 1), max(int(full_width * scale), 1)
    scales = np.array([width / full_width, height / full_height])
    return Pinhole(
        pose=scene.world_from_camera[view],
        focal=(scene.focal[view] * scales).astype(np.float32),
        centre=((scene.centre[view] - (left, top)) * scales).astype(np.float32),
        height=height,
        width=width,
    )


def depth_maps(
    model: Nerf, scene: Scene, views: Sequence[int], max_pixels: int
) -> Iterator[DepthMap]:
    """Yields the depth map of each view."""
    for view in views:
        yield depth_map(model, camera_of(scene, view, max_pixels))


def depth_map(model: Nerf, camera: Pinhole) -> DepthMap:
    """Renders what `camera` sees; all tensors are on the CPU."""
    directions, origin = torch.tensor(camera.directions()), torch.tensor(camera.pose[:3, 3])
    grid = directions.shape[:2]
    rgb, depth, opacity = _render(model, origin, directions.reshape(-1, 3))
    depth = depth.view(grid)
    return DepthMap(
        camera=camera,
        rgb=rgb.view(*grid, 3),
        depth=depth,
        hit=opacity.view(grid) >= MIN_OPACITY,
        points=origin + depth[..., None] * directions,
    )


def _render(
    model: Nerf, origin: Float[Tensor, 3], directions: Float[Tensor, "rays 3"]
) -> tuple[Float[Tensor, "rays 3"], Float[Tensor, " rays"], Float[Tensor, " rays"]]:
    """Colour of the surface, median distance and opacity of each ray, rendered in chunks."""
    device = next(model.parameters()).device
    samples = model.config.sampling.coarse + model.config.sampling.fine
    black, space = torch.zeros(3, device=device), model.colour_space
    parts = []
    with torch.inference_mode():
        for chunk in torch.split(directions, max(_CHUNK_SAMPLES // samples, 1)):
            rays = chunk.to(device)
            seen = model(origin.to(device).expand_as(rays), rays, black)[-1]
            # Over black, the light is opacity times that of the surface.
            light = space.to_light(seen.rgb) / seen.opacity.clamp(min=1e-3)[:, None]
            surface = space.to_rgb(light)
            seen_of_chunk = surface.clamp(0, 1), _median(seen), seen.opacity
            parts.append([each.cpu() for each in seen_of_chunk])
    rgb, depth, opacity = zip(*parts, strict=True)
    return torch.cat(rgb).clamp(0, 1), torch.cat(depth), torch.cat(opacity)


def _median(seen: Rendering) -> Float[Tensor, " rays"]:
    """Distance at which half of the light that a ray loses is lost.

    Not the expected distance: at an edge, where a ray grazes one surface and hits another, that
    lies in the empty space between the two.
    """
    t_edges = seen.t_edges
    lost = torch.cumsum(seen.weights, -1)  # light lost up to the end of each interval
    half = lost[:, -1:] / 2
    interval = torch.searchsorted(lost, half).clamp(max=lost.shape[1] - 1)
    start, end = t_edges.gather(-1, interval), t_edges.gather(-1, interval + 1)
    weight = seen.weights.gather(-1, interval)
    # Linearly within the interval: samples lie farther apart than a surface should be off.
    before = lost.gather(-1, interval) - weight
    return (start + (half - before) / weight.clamp(min=1e-9) * (end - start))[:, 0]
