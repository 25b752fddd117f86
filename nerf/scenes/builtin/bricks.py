"""The built-in scene: a locomotive of bricks, with as many views as tiny LEGO, of the same size.

Nothing is downloaded: the views are ray-traced.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nerf.scenes.bounds.suggest import with_bounds
from nerf.scenes.builtin import locomotive
from nerf.scenes.builtin.raytrace import LitModel
from nerf.scenes.builtin.rendered_views import COMMON_SOURCES, Shot, hemisphere_poses, load_views
from nerf.scenes.images import Images, split_channels
from nerf.scenes.scene import Float32, Scene, split_views

CAMERA_DISTANCE = 4.0311  # from the origin, scene units, as in tiny LEGO
_FOCAL_PER_WIDTH = 1.38888889  # focal length as a multiple of the image width
_SHADOW_SIZE = 512  # pixels a side of each light's shadow map

SOURCES = [*COMMON_SOURCES, Path(__file__)]
"""Files of code that the pixels depend on."""


def load_bricks(views: int = 106, size: int = 100, samples: int = 3) -> Scene:
    """Loads the scene from the cache; renders it first if the cache has no valid copy."""
    shot = make_shot(views, size, samples)
    pixels = load_views("bricks", shot, build_model, SOURCES)
    splits = split_views(views)
    scene = Scene(
        name="bricks",
        source="bricks",
        images=Images(*split_channels(pixels)),
        world_from_camera=shot.poses,
        focal=np.full((views, 2), shot.focal, np.float32),
        centre=np.full((views, 2), size / 2, np.float32),
        background=np.zeros(3, np.float32),
        description="built-in locomotive of bricks",
        train=splits["train"],
        val=splits["val"],
        test=splits["test"],
    )
    return with_bounds(scene)


def make_shot(views: int, size: int, samples: int) -> Shot:
    """The cameras, with tiny LEGO's focal length."""
    return Shot(camera_poses(views), _FOCAL_PER_WIDTH * size, size, samples)


def camera_poses(views: int) -> Float32:
    """Poses (views, 4, 4) over the upper hemisphere, as far from the origin as tiny LEGO's."""
    return hemisphere_poses(views, CAMERA_DISTANCE)


def build_model() -> LitModel:
    """The locomotive and its lights, ready to be rendered."""
    return LitModel(locomotive.build_locomotive(), locomotive.build_lights(), _SHADOW_SIZE)
