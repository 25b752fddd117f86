"""The locomotive photographed before a white sheet: RGB only, in the middle or near a corner.

Both scenes are windows of the same views, as a photographer crops them. The background is read from
the photographs, as that of any capture without alphas.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nerf.scenes.backdrop import backdrop_colour
from nerf.scenes.bounds.suggest import with_bounds
from nerf.scenes.builtin import bricks
from nerf.scenes.builtin.rendered_views import Shot, load_views
from nerf.scenes.images import Images
from nerf.scenes.scene import Scene, split_views

_FOCAL_PER_WIDTH = 0.7  # of a window, so that the whole object fits in beside the corner
_CORNER = (0.26, 0.74)  # where the origin is in a window, in shares of its width and height


def load_studio(corner: bool = False, views: int = 60, size: int = 100, samples: int = 3) -> Scene:
    """Loads the scene with the object in the middle of each image, or at its lower left."""
    column, row = (round(share * size) for share in (_CORNER if corner else (0.5, 0.5)))
    # The origin is in the middle of the rendered views, which hold both scenes' windows.
    half = size - round(_CORNER[0] * size)
    shot = Shot(bricks.camera_poses(views), _FOCAL_PER_WIDTH * size, 2 * half, samples)
    pixels = load_views("studio", shot, bricks.build_model, [*bricks.SOURCES, Path(__file__)])
    rgba = pixels[:, half - row :, half - column :][:, :size, :size] / np.float32(255)
    # Premultiplied colours over white.
    images = Images((rgba[..., :3] + (1 - rgba[..., 3:])).clip(0, 1))
    splits = split_views(views)
    name = "studio-corner" if corner else "studio"
    scene = Scene(
        name=name,
        source=name,
        images=images,
        world_from_camera=shot.poses,
        focal=np.full((views, 2), shot.focal, np.float32),
        centre=np.tile(np.array([column, row], np.float32), (views, 1)),
        background=backdrop_colour(images),
        description="built-in locomotive before a white sheet",
        train=splits["train"],
        val=splits["val"],
        test=splits["test"],
    )
    return with_bounds(scene)


def load_studio_corner() -> Scene:
    """Loads the scene with the object near the lower left corner of each image."""
    return load_studio(corner=True)
