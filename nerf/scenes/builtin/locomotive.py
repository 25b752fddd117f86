"""The built-in object, a small steam locomotive of bricks on a base plate, and its lights.

Lengths are in studs, the pitch of a brick's knobs: a plate is 0.4 high, a brick 1.2. The top of the
base plate is at z = 0, and the engine faces +x. `_solid` converts to scene units.
"""

from __future__ import annotations

import math

from nerf.scenes.builtin.raytrace import Axis, Light, Solid

PLATE, BRICK = 0.4, 1.2
STUD_RADIUS, STUD_HEIGHT = 0.3, 0.21
_GAP = 0.02  # from the edge of a brick to the edge of its cell
_PITCH = 0.124  # scene units per stud
_MIDDLE = 3.9  # height in studs that becomes z = 0 in the scene

Colour = tuple[float, float, float]
RED, YELLOW, BLUE = (0.62, 0.012, 0.01), (0.86, 0.42, 0.008), (0.008, 0.10, 0.52)
GREEN, LEAF, BROWN = (0.055, 0.27, 0.03), (0.012, 0.16, 0.03), (0.16, 0.055, 0.02)
BLACK, GREY, WHITE = (0.022, 0.024, 0.028), (0.17, 0.18, 0.2), (0.78, 0.78, 0.76)

_FLOWERS = (
    (-6.5, 4.5, RED),
    (-4.5, 5.5, WHITE),
    (-2.5, 4.5, YELLOW),
    (1.5, 5.5, RED),
    (6.5, -4.5, YELLOW),
    (3.5, -5.5, WHITE),
    (0.5, -4.5, RED),
    (-7.5, -3.5, WHITE),
)


def box(
    x: tuple[float, float], y: tuple[float, float], z: tuple[float, float], colour: Colour
) -> list[Solid]:
    """A block without studs, which fills the given ranges but for the gaps."""
    low, high = (x[0] + _GAP, y[0] + _GAP, z[0]), (x[1] - _GAP, y[1] - _GAP, z[1])
    return [_solid(low, high, colour)]


def brick(
    x: tuple[float, float], y: tuple[float, float], z: tuple[float, float], colour: Colour
) -> list[Solid]:
    """A block with a stud on each cell of its top."""
    columns, rows = round(x[1] - x[0]), round(y[1] - y[0])
    top = z[1] + STUD_HEIGHT / 2
    studs = [
        rod(2, (x[0] + i + 0.5, y[0] + j + 0.5, top), STUD_RADIUS, STUD_HEIGHT, colour)
        for i in range(columns)
        for j in range(rows)
    ]
    return [*box(x, y, z, colour), *studs]


def rod(
    axis: Axis, centre: tuple[float, float, float], radius: float, length: float, colour: Colour
) -> Solid:
    """A cylinder along `axis`, of that radius and length around its centre."""
    half = [radius] * 3
    half[axis] = length / 2
    low = tuple(c - h for c, h in zip(centre, half, strict=True))
    high = tuple(c + h for c, h in zip(centre, half, strict=True))
    return _solid(low, high, colour, axis)


def _solid(
    low: tuple[float, ...], high: tuple[float, ...], colour: Colour, axis: Axis | None = None
) -> Solid:
    """A solid from two opposite corners in studs."""
    centre = [(a + b) / 2 * _PITCH for a, b in zip(low, high, strict=True)]
    half = [(b - a) / 2 * _PITCH for a, b in zip(low, high, strict=True)]
    centre[2] -= _MIDDLE * _PITCH
    return Solid((centre[0], centre[1], centre[2]), (half[0], half[1], half[2]), colour, axis)


def build_locomotive() -> list[Solid]:
    """All visible solids of the object; studs that a brick covers are left out."""
    solids = [*_ground(), *_wheels(), *_engine(), *_cab(), *_garden()]
    return [solid for solid in solids if not _buried(solid, solids)]


def _ground() -> list[Solid]:
    parts = brick((-8, 8), (-6, 6), (-PLATE, 0), GREEN)
    for x in range(-8, 8, 2):
        parts += brick((x + 0.5, x + 1.5), (-3, 3), (0, PLATE), BROWN)
    for y in (-2.0, 1.0):
        for x in range(-8, 8, 4):
            parts += brick((x, x + 4), (y, y + 1), (PLATE, 2 * PLATE), GREY)
    return parts


def _wheels() -> list[Solid]:
    parts = []
    rail = 2 * PLATE + STUD_HEIGHT
    for side in (-1, 1):
        for x, radius in ((-5.2, 1.3), (-2.4, 1.3), (0.4, 1.3), (3.0, 0.85), (4.9, 0.85)):
            parts.append(rod(1, (x, side * 1.75, rail + radius), radius, 0.5, BLACK))
            parts.append(rod(1, (x, side * 1.85, rail + radius), 0.76 * radius, 0.5, RED))
            parts.append(rod(1, (x, side * 1.95, rail + radius), 0.26 * radius, 0.62, YELLOW))
        y = sorted((side * 2.2, side * 2.34))
        parts += box((-5.4, 0.6), (y[0] - _GAP, y[1] + _GAP), (rail + 0.95, rail + 1.25), WHITE)
    return parts


def _engine() -> list[Solid]:
    parts = box((-7, 6), (-1.4, 1.4), (1.6, 3.8), BLACK)
    parts += brick((-7, 0), (-2, 2), (3.8, 4.2), RED) + brick((0, 6), (-2, 2), (3.8, 4.2), RED)
    parts += box((6, 6.5), (-2, 2), (2.6, 4.2), RED)
    for y in (-1.3, 1.3):
        parts.append(rod(0, (6.75, y, 3.3), 0.42, 0.6, GREY))
        parts.append(rod(0, (7.05, y, 3.3), 0.55, 0.14, WHITE))
    parts += box((6.5, 7.0), (-1.6, 1.6), (1.1, 1.6), BLACK)
    axle = 6.0
    parts.append(rod(0, (1.6, 0, axle), 1.7, 7.2, BLUE))
    parts.append(rod(0, (4.9, 0, axle), 1.78, 1.3, BLACK))
    parts.append(rod(0, (5.6, 0, axle), 1.25, 0.3, GREY))
    parts.append(rod(0, (5.85, 0, axle), 0.45, 0.5, YELLOW))
    for x in (-1.2, 0.6, 2.4, 4.1):
        parts.append(rod(0, (x, 0, axle), 1.78, 0.26, YELLOW))
    parts += brick((-1, 4), (-0.5, 0.5), (axle + 1.0, axle + 1.75), BLUE)
    parts.append(rod(2, (4.9, 0, 8.4), 0.62, 2.0, BLACK))
    parts.append(rod(2, (4.9, 0, 9.35), 0.9, 0.55, RED))
    parts.append(rod(2, (1.5, 0, 8.0), 0.62, 0.9, YELLOW))
    parts.append(rod(2, (1.5, 0, 8.55), 0.38, 0.5, YELLOW))
    return parts


def _cab() -> list[Solid]:
    parts = []
    for z in (4.2, 5.4):
        parts += box((-6, -2), (-2, 2), (z, z + BRICK - _GAP), RED)
    parts += box((-6, -2), (-2, 2), (6.6, 6.6 + PLATE), YELLOW)
    for x in (-6.0, -3.0):
        for y in (-2.0, 1.0):
            parts += box((x, x + 1), (y, y + 1), (7.0, 9.0), RED)
    parts += brick((-6.5, -1.5), (-2.5, 2.5), (9.0, 9.4), BLUE)
    parts += brick((-5.5, -2.5), (-1.5, 1.5), (9.4, 9.8), BLUE)
    parts += brick((-7, -6), (-2, 2), (4.2, 6.6), BLACK)
    return parts


def _garden() -> list[Solid]:
    tree = (5.5, 4.5)
    parts = [rod(2, (*tree, 0.6), 0.4, 1.2, BROWN)]
    for z, radius in ((1.2, 1.35), (2.2, 1.1), (3.2, 0.8), (4.1, 0.5)):
        parts.append(rod(2, (*tree, z + 0.5), radius, 0.98, LEAF))
    for x, y, colour in _FLOWERS:
        parts.append(rod(2, (x, y, 0.35), 0.14, 0.7, LEAF))
        parts.append(rod(2, (x, y, 0.78), 0.42, 0.3, colour))
    post = (-4.5, -4.5)
    parts += brick((-5, -4), (-5, -4), (0, BRICK), GREY)
    parts.append(rod(2, (*post, 3.4), 0.2, 4.6, WHITE))
    parts += box((-4.6, -2.4), (-4.75, -4.45), (5.0, 5.7), RED)
    parts.append(rod(1, (-4.5, -4.7, 5.35), 0.34, 0.5, YELLOW))
    return parts


def _buried(solid: Solid, solids: list[Solid]) -> bool:
    """Whether a single box contains the whole solid."""
    return any(
        other.axis is None
        and other is not solid
        and all(
            abs(c - d) + h <= k + 0.01 * _PITCH
            for c, h, d, k in zip(solid.centre, solid.half, other.centre, other.half, strict=True)
        )
        for other in solids
    )


def build_lights() -> list[Light]:
    """A warm key light, made of 6 so that its shadows are soft, and a cool sky of 16 lights."""
    lights = []
    key = _direction(0.62, 2 * math.pi * 0.12)
    for i in range(6):
        angle, spread = 2 * math.pi * i / 6, 0.05
        x, y, z = (key[0] + spread * math.cos(angle), key[1] + spread * math.sin(angle), key[2])
        length = math.hypot(x, y, z)
        lights.append(Light((x / length, y / length, z / length), (0.35, 0.33, 0.295), 0.55))
    count = 16
    for i in range(count):
        # A Fibonacci spiral: heights in equal steps, azimuths by the golden angle.
        towards = _direction((i + 0.5) / count, i * math.pi * (3 - math.sqrt(5)))
        lights.append(Light(towards, (0.072, 0.080, 0.092), 0.0))
    return lights


def _direction(height: float, azimuth: float) -> tuple[float, float, float]:
    """The unit vector with z = `height` and the angle `azimuth` from x towards y."""
    across = math.sqrt(1 - height**2)
    return across * math.cos(azimuth), across * math.sin(azimuth), height
