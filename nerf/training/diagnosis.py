"""What a field without gradients looks like, in words: which of its parts is stuck, and where."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from nerf.model.nerf import Nerf
from nerf.model.rendering import composite
from nerf.model.sampling import edges_around, stratified_samples
from nerf.scenes.cameras.pixel_rays import view_directions
from nerf.scenes.scene import Scene

RAYS = 1024


@dataclass(frozen=True)
class Look:
    """What one pass of a model does on a grid of rays of one training view."""

    near: float
    raw_low: float
    raw_high: float
    """Smallest and largest input of the density activation."""
    positive: float
    """Share of samples with a density above 1e-4 per scene unit."""
    opaque: float
    """Share of rays that are full before their last sample."""
    first: float
    """Share of all weight that lies in the first interval."""
    spread: float
    """Standard deviation of the rendered colours over the rays."""


def frozen_density(model: Nerf, scene: Scene, name: str, since: int) -> str:
    """Why the density head of the pass `name` has had no gradient since a step."""
    seen = look(model, scene, name)
    activation = model.config.field.density_activation
    raw = f"{activation} input {seen.raw_low:.3g} to {seen.raw_high:.3g}"
    if seen.positive < 0.01:
        what = f"dead: zero on {1 - seen.positive:.0%} of samples, {raw}"
        remedy = "try field.density_activation=shifted_softplus or another seed"
    elif seen.first > 0.99:
        what = f"stuck: every ray ends in its first interval at near={seen.near:.2f}, {raw}"
        remedy = "lower optimisation.learning_rate or move sampling.near"
    else:
        what = f"stuck: positive on {seen.positive:.0%} of samples, {raw}, {seen.opaque:.0%} of "
        what += "rays full before their last sample"
        remedy = "lower optimisation.learning_rate"
    return f"{_pass(name)}density is {what}, no gradient since step {since}; {remedy}"


def frozen_position(model: Nerf, scene: Scene, name: str, since: int) -> str:
    """Why nothing that takes in the position has had a gradient since a step."""
    seen = look(model, scene, name)
    return (
        f"{_pass(name)}field is blind: its {model.config.field.hidden_activation} units passed "
        f"no gradient to the position since step {since}, the picture is constant within "
        f"{seen.spread:.2g}; lower optimisation.learning_rate or change field.hidden_activation"
    )


def look(model: Nerf, scene: Scene, name: str) -> Look:
    """What the pass `name` does on some thousand rays of the first training view."""
    view, sampling, field = scene.train[0], model.config.sampling, model.passes()[name]
    stride = max(round((scene.height * scene.width / RAYS) ** 0.5), 1)
    directions = torch.tensor(view_directions(scene, view, stride).reshape(-1, 3))
    directions = directions.to(next(field.parameters()).device)
    origin = directions.new_tensor(scene.world_from_camera[view, :3, 3])
    t = stratified_samples(
        sampling.near, sampling.far, len(directions), sampling.coarse, None, directions.device
    )
    with torch.inference_mode():
        raw_density, rgb = field(origin + t[..., None] * directions[:, None], directions)
        density = field.density_activation(raw_density)
        edges = edges_around(t, sampling.near, sampling.far)
        rendering = composite(density, rgb, t, edges, torch.zeros_like(origin))
    weights = rendering.weights
    return Look(
        near=sampling.near,
        raw_low=raw_density.min().item(),
        raw_high=raw_density.max().item(),
        positive=(density > 1e-4).float().mean().item(),
        opaque=(weights[:, :-1].sum(-1) > 0.999).float().mean().item(),
        first=(weights[:, 0].sum() / weights.sum().clamp(min=1e-12)).item(),
        spread=rendering.rgb.std(dim=0).max().item(),
    )


def _pass(name: str) -> str:
    return "the " if name == "only" else f"the {name} "
