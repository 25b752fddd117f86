"""Small textured worlds and their exact pictures: balls on a table, a round room, flat ground.

z is up. Poses are world_from_camera in OpenGL's convention: x right, y up, looking along -z.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capture.lenses import Camera, Floats

Bytes = NDArray[np.uint8]

TABLE_RADIUS = 1.3
WALL_RADIUS = 3.0
ROOM_HALF_HEIGHT = 1.6
_BALLS = (  # centre, radius, colour
    ((0.0, 0.1, 0.5), 0.5, (0.85, 0.35, 0.25)),
    ((0.8, -0.2, 0.28), 0.28, (0.25, 0.55, 0.85)),
    ((-0.75, -0.3, 0.33), 0.33, (0.9, 0.75, 0.3)),
    ((0.15, -0.85, 0.22), 0.22, (0.35, 0.75, 0.4)),
    ((-0.3, 0.85, 0.25), 0.25, (0.7, 0.4, 0.75)),
    ((0.75, 0.65, 0.2), 0.2, (0.3, 0.7, 0.7)),
)


@dataclass(frozen=True)
class Shown:
    """A picture: straight colours and alphas (height, width, 4) in [0, 1], and distances of what
    is hit at the pixels' centres, NaN where nothing is."""

    rgba: Floats
    distances: Floats


def look_from(eye: tuple[float, float, float], at: tuple[float, float, float]) -> Floats:
    """The pose of a camera that looks from one point at another, upright."""
    back = np.subtract(eye, at)
    back = back / np.linalg.norm(back)
    right = np.cross((0.0, 0.0, 1.0), back)
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3] = np.stack([right, np.cross(back, right), back, eye], axis=1)
    return pose


def ring(count: int = 24, distance: float = 3.8) -> list[Floats]:
    """Cameras around the table at changing heights, each looking at its middle."""
    poses = []
    for view in range(count):
        turn, height = 2 * math.pi * view / count, 0.9 + 1.5 * (view * 5 % count) / count
        across = math.sqrt(distance**2 - height**2)
        eye = (across * math.cos(turn), across * math.sin(turn), height)
        poses.append(look_from(eye, (0.0, 0.0, 0.3)))
    return poses


def forward(count: int = 24) -> list[Floats]:
    """Cameras in a plane that all look the same way, as LLFF's captures have them."""
    return [
        look_from((0.5 * (view % 6 - 2.5) / 2.5, -3.9, 1.5 + 0.3 * (view // 6 - 1.5)), (0, 0, 0.4))
        for view in range(count)
    ]


def outward(count: int = 24) -> list[Floats]:
    """Cameras near the middle of a round room that look at its wall."""
    poses = []
    for view in range(count):
        turn = 2 * math.pi * view / count
        x, y = math.cos(turn), math.sin(turn)
        eye = (0.4 * x, 0.4 * y, 0.1 * math.sin(3 * turn))
        poses.append(look_from(eye, (3 * x, 3 * y, eye[2])))
    return poses


def picture(pose: Floats, camera: Camera, samples: int = 2) -> Shown:
    """The table and its balls; what is empty has alpha 0."""
    colours, alphas, _ = _table(pose, camera.rays(samples))
    rgba = np.concatenate([colours * alphas[..., None], alphas[..., None]], -1)
    blocks = rgba.reshape(camera.height, samples, camera.width, samples, 4).mean((1, 3))
    alpha = blocks[..., 3:]
    straight = np.where(alpha > 0, blocks[..., :3] / np.maximum(alpha, 1e-9), 0)
    distances = _table(pose, camera.rays())[2]
    return Shown(np.concatenate([straight, alpha], -1), distances)


def wall_picture(pose: Floats, camera: Camera, samples: int = 3) -> Shown:
    """The wall, floor and ceiling of a round room, with patches of random colours."""
    rays = camera.rays(samples) @ pose[:3, :3].T
    hit = pose[:3, 3] + _to_room(pose, rays)[..., None] * rays
    patches = np.random.default_rng(11).uniform(0.15, 0.95, (60, 24, 3))
    turn = (np.arctan2(hit[..., 1], hit[..., 0]) / (2 * math.pi) * 60).astype(int) % 60
    outwards = np.floor(np.hypot(hit[..., 0], hit[..., 1]) * 1.5).astype(int)
    colours = patches[turn, (np.floor(hit[..., 2] * 3).astype(int) + outwards) % 24]
    blocks = colours.reshape(camera.height, samples, camera.width, samples, 3).mean((1, 3))
    rgba = np.concatenate([blocks, np.ones((*blocks.shape[:2], 1))], -1)
    return Shown(rgba, _to_room(pose, camera.rays() @ pose[:3, :3].T))


def ground_picture(pose: Floats, camera: Camera, samples: int = 2) -> Shown:
    """Flat ground at z = 0 in patches of 15 units, seen from above."""
    rays = camera.rays(samples) @ pose[:3, :3].T
    hit = pose[:3, 3] - rays * (pose[2, 3] / rays[..., 2:])
    patches = np.random.default_rng(12).uniform(0.15, 0.95, (101, 103, 3))
    place = np.floor(hit[..., :2] / 15).astype(int)
    colours = patches[place[..., 0] % 101, place[..., 1] % 103]
    blocks = colours.reshape(camera.height, samples, camera.width, samples, 3).mean((1, 3))
    rgba = np.concatenate([blocks, np.ones((*blocks.shape[:2], 1))], -1)
    return Shown(rgba, -pose[2, 3] / (camera.rays() @ pose[:3, :3].T)[..., 2])


def over(shown: Shown, background: Floats | float) -> Floats:
    """Colours (height, width, 3) over a background."""
    alpha = shown.rgba[..., 3:]
    return np.asarray(shown.rgba[..., :3] * alpha + (1 - alpha) * background)


def room(pose: Floats, camera: Camera) -> Floats:
    """Soft colours that depend on the direction alone: a room out of focus, far away."""
    rays = camera.rays() @ pose[:3, :3].T
    x, y, z = rays[..., 0], rays[..., 1], rays[..., 2]
    return np.stack([0.5 + 0.3 * np.sin(4 * x), 0.5 + 0.3 * np.cos(3 * y), 0.6 + 0.3 * z], -1)


def to_bytes(values: Floats) -> Bytes:
    """Values in [0, 1] as bytes."""
    return (values * 255).round().clip(0, 255).astype(np.uint8)


def surface_points(count: int = 400) -> Floats:
    """Random points (count, 3) on the table and the balls, those below the table left out."""
    draw = np.random.default_rng(2)
    turn, radius = draw.uniform(0, 2 * math.pi, count), np.sqrt(draw.uniform(0, 1, count))
    flat = np.stack([np.cos(turn), np.sin(turn), np.zeros(count)], 1)
    flat *= TABLE_RADIUS * radius[:, None]
    sides = draw.normal(size=(count, 3))
    sides /= np.linalg.norm(sides, axis=1, keepdims=True)
    which = draw.integers(0, len(_BALLS), count)
    centres, radii = (np.array([ball[part] for ball in _BALLS]) for part in (0, 1))
    balls = centres[which] + radii[which][:, None] * sides
    return np.concatenate([flat[: count // 2], balls[count // 2 :]])


def room_points(count: int = 400) -> Floats:
    """Random points (count, 3) on wall, floor and ceiling of the room."""
    draw = np.random.default_rng(3)
    rays = draw.normal(size=(count, 3))
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    return np.asarray(_to_room(np.eye(4), rays)[:, None] * rays)


def _table(pose: Floats, rays_in_camera: Floats) -> tuple[Floats, Floats, Floats]:
    """Colour, alpha and distance of what each ray hits."""
    eye, rays = pose[:3, 3], rays_in_camera @ pose[:3, :3].T
    colour = np.zeros(rays.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        nearest = -eye[2] / rays[..., 2]
        hit = eye + nearest[..., None] * rays
        on_table = (nearest > 0) & (np.hypot(hit[..., 0], hit[..., 1]) < TABLE_RADIUS)
        squares = (np.floor(hit[..., 0] * 5) + np.floor(hit[..., 1] * 5)) % 2
    nearest = np.where(on_table, nearest, np.inf)
    shade = 0.3 + 0.45 * np.where(on_table, squares, 0)
    colour[on_table] = (shade[..., None] * (0.85, 0.95, 1.0))[on_table]
    for centre, radius, base in _BALLS:
        offset = eye - np.array(centre)
        along = rays @ offset
        inside = along**2 - (offset @ offset - radius**2)
        distance = -along - np.sqrt(np.maximum(inside, 0))
        struck = (inside > 0) & (distance > 0) & (distance < nearest)
        normal = (eye + distance[..., None] * rays - centre) / radius
        stripes = np.sin(8 * np.arctan2(normal[..., 1], normal[..., 0]) + 6 * normal[..., 2])
        light = (0.6 + 0.35 * normal[..., 2]) * (0.8 + 0.2 * np.sign(stripes))
        colour[struck] = (light[..., None] * base)[struck]
        nearest = np.where(struck, distance, nearest)
    found = np.isfinite(nearest)
    return colour.clip(0, 1), found.astype(float), np.where(found, nearest, np.nan)


def _to_room(pose: Floats, rays: Floats) -> Floats:
    """Distance along each ray to the room: an upright cylinder with floor and ceiling."""
    eye = pose[:2, 3]
    a = np.maximum((rays[..., :2] ** 2).sum(-1), 1e-12)
    b = rays[..., :2] @ eye
    wall = (-b + np.sqrt(b * b - a * (eye @ eye - WALL_RADIUS**2))) / a
    up = rays[..., 2]
    flat = (np.copysign(ROOM_HALF_HEIGHT, up) - pose[2, 3]) / np.where(up == 0, 1e-12, up)
    return np.asarray(np.minimum(wall, flat))
