"""A short video of a trained trial for W&B: the camera flies around the scene once."""

from __future__ import annotations

import math
from pathlib import Path

from nerf.config.schema import NerfConfig
from nerf.scenes.cameras import camera_paths
from nerf.scenes.scene import Scene

MAX_SHARE = 0.0075
"""How much work the video may cost, as a share of the training's: a study has many trials."""

_MAX_HEIGHT = 64  # pixels
_MIN_FRAMES, _MAX_FRAMES = 6, 24  # fewer show no motion, more are not needed
_TRAINED_TO_RENDERED = 3  # cost of a ray with its backward pass, in rays that are only rendered


def affordable_frames(config: NerfConfig, pixels: int) -> int:
    """How many frames of so many pixels a full training affords; 0 where they are too few."""
    trained_rays = config.optimisation.steps * config.optimisation.rays
    rendered_rays = MAX_SHARE * _TRAINED_TO_RENDERED * trained_rays
    frames = math.floor(rendered_rays / pixels)
    return min(frames, _MAX_FRAMES) if frames >= _MIN_FRAMES else 0


def write_trial_video(checkpoint: Path, config: NerfConfig, scene: Scene, out: Path) -> Path | None:
    """Writes the video as a GIF and returns `out`; None, and no file, where it costs too much."""
    from nerf.run.flythrough import load_model, render_flythrough, write_video

    height = min(scene.height, _MAX_HEIGHT)
    width = round(scene.width * height / scene.height)
    count = affordable_frames(config, height * width)
    if not count:
        return None
    poses = camera_paths.default_path(scene, count)
    write_video(out, render_flythrough(load_model(checkpoint), scene, poses, height), fps=8)
    return out
