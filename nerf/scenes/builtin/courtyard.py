"""A courtyard of bricks seen from its middle: cameras that look outward, and a sky without end.

The kind of capture that has no object in the centre and no backdrop of one colour.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from nerf.scenes.builtin import locomotive
from nerf.scenes.builtin.raytrace import LitModel, Solid
from nerf.scenes.builtin.rendered_views import (
    COMMON_SOURCES,
    Shot,
    back_direction,
    load_views,
    look_back_along,
)
from nerf.scenes.cameras.pixel_rays import view_directions
from nerf.scenes.images import Images
from nerf.scenes.scene import Bounds, Float32, Scene, split_views

_FOCAL_PER_WIDTH = 0.7
_SHADOW_SIZE = 1024
_RADIUS = 0.45  # of the circle on which the cameras stand, scene units
_GROUND = -0.8  # height of the ground; the cameras are at about 0
_HOUSES = 14
_HORIZON, _ZENITH = (0.86, 0.90, 0.95), (0.25, 0.45, 0.85)
_COLOURS = (
    locomotive.RED,
    locomotive.YELLOW,
    locomotive.BLUE,
    locomotive.GREEN,
    locomotive.WHITE,
    locomotive.BROWN,
    locomotive.GREY,
)


def load_courtyard(views: int = 64, size: int = 100, samples: int = 3) -> Scene:
    """Loads the scene from the cache; renders it first if the cache has no valid copy."""
    shot = Shot(outward_poses(views), _FOCAL_PER_WIDTH * size, size, samples)
    rgba = load_views("courtyard", shot, build_model, [*COMMON_SOURCES, Path(__file__)])
    splits = split_views(views)
    images = np.zeros((views, size, size, 3), np.float32)
    scene = Scene(
        name="courtyard",
        source="courtyard",
        images=Images(images),
        world_from_camera=shot.poses,
        focal=np.full((views, 2), shot.focal, np.float32),
        centre=np.full((views, 2), size / 2, np.float32),
        background=np.zeros(3, np.float32),
        bounds=_known_bounds(),
        description="built-in courtyard of bricks, looking outward",
        train=splits["train"],
        val=splits["val"],
        test=splits["test"],
    )
    pixels = rgba / np.float32(255)
    for view in range(views):
        sky = paint_sky(view_directions(scene, view))
        images[view] = pixels[view, ..., :3] + (1 - pixels[view, ..., 3:]) * sky
    return scene


def build_model() -> LitModel:
    """Ground, wall and houses around the cameras, with the lights of the locomotive."""
    # Without highlights, which on the wide ground would be large and ragged with shadows.
    lights = [replace(light, gloss=0.0) for light in locomotive.build_lights()]
    return LitModel(build_courtyard(), lights, _SHADOW_SIZE)


def build_courtyard() -> list[Solid]:
    """Tiles of the ground, and a ring of houses, towers and trees 3 to 5 units away."""
    solids = [*_tile_ground()]
    for house in range(_HOUSES):
        angle = 2 * math.pi * house / _HOUSES
        distance = 3.4 + 0.8 * math.sin(2.6 * house)
        solids += _build_house(
            distance * math.cos(angle), distance * math.sin(angle), house, 0.7 + 0.35 * (house % 4)
        )
        angle += math.pi / _HOUSES
        solids += _build_tree(2.7 * math.cos(angle), 2.7 * math.sin(angle), 0.5 + 0.2 * (house % 3))
    return solids


def _tile_ground() -> list[Solid]:
    """A plate of square tiles in two greens."""
    tiles = range(-5, 6)
    return [
        Solid(
            (1.0 * i, 1.0 * j, _GROUND - 0.1),
            (0.5, 0.5, 0.1),
            (locomotive.GREEN, locomotive.LEAF, locomotive.GREY)[(i + 2 * j) % 3],
        )
        for i in tiles
        for j in tiles
    ]


def _build_house(x: float, y: float, number: int, height: float) -> list[Solid]:
    """Two storeys of different colours, and a chimney."""
    lower, upper, roof = (_COLOURS[(number * step) % len(_COLOURS)] for step in (1, 2, 3))
    middle = _GROUND + height / 2
    return [
        Solid((x, y, middle), (0.42, 0.42, height / 2), lower),
        Solid((x, y, _GROUND + height + 0.2), (0.34, 0.34, 0.2), upper),
        Solid((x, y, _GROUND + height + 0.45), (0.46, 0.46, 0.05), roof),
        Solid((x + 0.2, y + 0.1, _GROUND + height + 0.65), (0.08, 0.08, 0.15), lower),
    ]


def _build_tree(x: float, y: float, height: float) -> list[Solid]:
    trunk = Solid((x, y, _GROUND + height / 4), (0.06, 0.06, height / 4), locomotive.BROWN, 2)
    crown = Solid((x, y, _GROUND + 0.75 * height), (0.2, 0.2, height / 4), locomotive.LEAF, 2)
    return [trunk, crown]


def outward_poses(views: int) -> Float32:
    """Poses (views, 4, 4) of cameras on a small circle, looking out, some a little up or down."""
    poses = np.zeros((views, 4, 4))
    for view in range(views):
        azimuth = 2 * math.pi * view / views
        tilt = 0.12 * math.sin(5 * azimuth)  # sine of the angle by which the camera looks up
        pose = look_back_along(back_direction(-tilt, azimuth + math.pi))
        pose[:3, 3] = (
            _RADIUS * math.cos(azimuth),
            _RADIUS * math.sin(azimuth),
            0.15 * math.sin(3 * azimuth),
        )
        poses[view] = pose
    return poses.astype(np.float32)


def paint_sky(directions: Float32) -> Float32:
    """Colours (..., 3) of the sky along unit directions: pale at the horizon, blue above."""
    height = directions[..., 2:].clip(0, 1)
    return np.asarray(
        np.array(_HORIZON, np.float32) * (1 - height) + height * np.array(_ZENITH), np.float32
    )


def _known_bounds() -> Bounds:
    """From the nearest solid to the farthest, over all places of a camera."""
    near, far = _distances(build_courtyard())
    return Bounds(near, far, "the solids of the scene")


def _distances(solids: list[Solid]) -> tuple[float, float]:
    """Smallest and largest distance of the solids' boxes from the cameras' circle."""
    centre = np.array([solid.centre for solid in solids])
    half = np.array([solid.half for solid in solids])
    eyes = outward_poses(32)[:, None, :3, 3].astype(np.float64)
    offset = np.abs(eyes - centre)
    nearest = np.linalg.norm(np.maximum(offset - half, 0), axis=-1)
    farthest = np.linalg.norm(offset + half, axis=-1)
    return float(nearest.min()), float(farthest.max())
