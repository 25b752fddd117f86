"""Explains a field without gradients: which part of it is stuck, and how.

The health watch finds that a part is frozen; here the field is sampled along some rays of one
training view to say in one line what it looks like.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from nerf.common.commands import command_name
from nerf.config.flat import build, flatten
from nerf.config.schema import NerfConfig
from nerf.model.nerf import Nerf
from nerf.model.rendering import composite
from nerf.model.spacing import coarse_samples, place_samples
from nerf.scenes.backdrop import content_windows
from nerf.scenes.cameras.pixel_rays import view_directions
from nerf.scenes.scene import Scene

DIAGNOSIS_RAYS = 1024
"""Approximate number of rays, on a regular grid over one view."""

MIN_POSITIVE_DENSITY = 1e-4
"""Density, per scene unit, above which a sample is not empty: over 10 units it stops 0.1 %."""

MIN_OPAQUE_WEIGHT = 0.999
"""Sum of the weights before the last sample above which a ray is opaque."""

MAX_DEAD_SHARE = 0.01
"""Share of samples with positive density below which the density is dead."""

MIN_FIRST_INTERVAL_SHARE = 0.99
"""Share of all weight in the first interval above which every ray ends at near."""


_CROP = "optimisation.crop_steps"

_START = (_CROP, "optimisation.warm_up", "field.initial_density")
"""Parameters of the first steps that keep a density from dying; 0 turns each of them off."""


@dataclass(frozen=True)
class FieldStatistics:
    """What the field of one pass does along the rays of one training view."""

    near: float
    raw_min: float
    raw_max: float
    """Smallest and largest input of the density activation."""
    positive: float
    """Share of samples whose density exceeds `MIN_POSITIVE_DENSITY`."""
    opaque: float
    """Share of rays that are opaque before their last sample."""
    first_interval: float
    """Share of all weight in the first interval."""
    colour_std: float
    """Standard deviation over the rays of the rendered colour, largest channel."""


def explain_frozen_density(model: Nerf, scene: Scene, name: str, since: int) -> str:
    """Why the density head of the pass `name` has had no gradient since the step `since`."""
    field = measure_field(model, scene, name)
    activation = model.config.field.density_activation
    raw = f"{activation} input {field.raw_min:.3g} to {field.raw_max:.3g}"
    if field.positive < MAX_DEAD_SHARE:
        condition = f"dead: zero on {1 - field.positive:.0%} of samples, {raw}"
        remedy = suggest_start(model.config, scene)
    elif field.first_interval > MIN_FIRST_INTERVAL_SHARE:
        condition = f"stuck: every ray ends in its first interval at near={field.near:.2f}, {raw}"
        remedy = f"{suggest_start(model.config, scene)}, or move sampling.near"
    else:
        condition = (
            f"stuck: positive on {field.positive:.0%} of samples, {raw}, "
            f"{field.opaque:.0%} of rays opaque before their last sample"
        )
        remedy = suggest_start(model.config, scene)
    return f"{_article(name)}density is {condition}, no gradient since step {since}; {remedy}"


def suggest_start(config: NerfConfig, scene: Scene) -> str:
    """The settings of a start that works, as far as `config` departs from them.

    They are the defaults; analysis/results/README.md has the rates of collapse with and without.
    The crop is left out where the content fills the images, as it does without a backdrop: a crop
    to the content then draws from whole images.
    """
    defaults = flatten(build({}))
    now = flatten(config)
    cures = [path for path in _START if not now[path]]
    if _CROP in cures and not _has_margins(scene):
        cures.remove(_CROP)
    missing = [f"{path}={defaults[path]:g}" for path in cures]
    if missing:
        return f"set {', '.join(missing)}"
    inspect = f"--inspect of {command_name('nerf/train.py')}"
    return f"lower optimisation.learning_rate, or check near and far by {inspect}"


def _has_margins(scene: Scene) -> bool:
    """Whether a training view shows more than its content."""
    windows = content_windows(scene, list(scene.train))
    return bool((windows[:, 2:] < (scene.height, scene.width)).any())


def explain_frozen_position(model: Nerf, scene: Scene, name: str, since: int) -> str:
    """Why the weights that read the position have had no gradient since the step `since`."""
    field = measure_field(model, scene, name)
    return (
        f"{_article(name)}field is blind to the position: its "
        f"{model.config.field.hidden_activation} units have passed no gradient since step {since}, "
        f"colours vary by {field.colour_std:.2g} over the image; "
        f"{suggest_start(model.config, scene)}, or change field.hidden_activation"
    )


def measure_field(model: Nerf, scene: Scene, name: str) -> FieldStatistics:
    """Samples the field of the pass `name` along rays of the first training view."""
    view, sampling, field = scene.train[0], model.config.sampling, model.passes()[name]
    stride = max(round((scene.height * scene.width / DIAGNOSIS_RAYS) ** 0.5), 1)
    directions = torch.tensor(view_directions(scene, view, stride).reshape(-1, 3))
    directions = directions.to(next(field.parameters()).device)
    origin = directions.new_tensor(scene.world_from_camera[view, :3, 3])
    # The coarse samples without jitter and without the occupancy grid, also for a fine pass.
    u = coarse_samples(sampling, len(directions), None, directions.device)
    t, t_edges = place_samples(sampling, u)
    with torch.inference_mode():
        raw_density, rgb = field(origin + t[..., None] * directions[:, None], directions)
        density = field.density_activation(raw_density)
        rendering = composite(
            density, rgb, t, t_edges, torch.zeros_like(origin), model.colour_space
        )
    weights = rendering.weights
    return FieldStatistics(
        near=sampling.near,
        raw_min=raw_density.min().item(),
        raw_max=raw_density.max().item(),
        positive=(density > MIN_POSITIVE_DENSITY).float().mean().item(),
        opaque=(weights[:, :-1].sum(-1) > MIN_OPAQUE_WEIGHT).float().mean().item(),
        first_interval=(weights[:, 0].sum() / weights.sum().clamp(min=1e-12)).item(),
        colour_std=rendering.rgb.std(dim=0).max().item(),
    )


def _article(name: str) -> str:
    """The beginning of a reason: names the pass if there are two."""
    return "the " if name == "only" else f"the {name} "
