"""A short flight around a trial's field, as cheap as it must be where there are many trials."""

from __future__ import annotations

import math
from pathlib import Path

from nerf.config.schema import NerfConfig
from nerf.scenes.cameras import camera_paths
from nerf.scenes.scene import Scene

SHARE = 0.0075
"""Of a training's work that its film may take."""

_HEIGHT = 64  # pixels at most
_FRAMES = (6, 24)  # fewer show no motion; more are not needed
_BACKWARD = 3  # a training step's ray costs as much as so many that are only rendered


def frames(config: NerfConfig, pixels: int) -> int:
    """How many frames of so many pixels a whole training affords; 0 where they are too few."""
    trained = config.optimisation.steps * config.optimisation.rays
    affordable = math.floor(SHARE * _BACKWARD * trained / pixels)
    return min(affordable, _FRAMES[1]) if affordable >= _FRAMES[0] else 0


def make_film(checkpoint: Path, config: NerfConfig, scene: Scene, out: Path) -> Path | None:
    """Writes the flight as a GIF and returns `out`; None, and no file, where it is not afforded."""
    from nerf.run.flythrough import flight, trained_model, write_video

    height = min(scene.height, _HEIGHT)
    width = round(scene.width * height / scene.height)
    count = frames(config, height * width)
    if not count:
        return None
    poses = camera_paths.default_path(scene, count)
    write_video(out, flight(trained_model(checkpoint), scene, poses, height), fps=8)
    return out
