"""Pictures of boxes and cylinders, ray-traced exactly and lit by a sky of directional lights.

Every solid is convex, so a ray meets it over one interval: the intersection of a slab's interval
per axis (box), or of one slab and an infinite cylinder. Visibility from a camera and from each
light is found in the same way, on a grid of rays, asking each solid only about the rays of the
rectangle it projects to. Arrays of vectors keep their components first: (3, ...).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Axis = Literal[0, 1, 2]

_SHININESS = 48.0


@dataclass(frozen=True)
class Solid:
    """A box, or a cylinder along `axis` whose two other half sizes are its radius."""

    centre: tuple[float, float, float]
    half: tuple[float, float, float]
    colour: tuple[float, float, float]  # albedo, linear RGB
    axis: Axis | None = None


@dataclass(frozen=True)
class Rays:
    """A square grid of rays, and the grid's place (column, row) of any point in the world."""

    origins: Array  # (3, size, size)
    directions: Array  # (3, size, size), unit length
    place: Callable[[Array], tuple[Array, Array]]

    @property
    def size(self) -> int:
        return int(self.directions.shape[1])


@dataclass(frozen=True)
class Light:
    """Parallel light of one RGB radiance; `gloss` is its share in highlights."""

    towards: tuple[float, float, float]  # unit vector from the object to the light
    radiance: tuple[float, float, float]
    gloss: float


class Model:
    """Solids with their lights' shadow maps: what `picture` needs of them, computed once."""

    def __init__(self, solids: Sequence[Solid], lights: Sequence[Light], shadow_size: int) -> None:
        self.solids = tuple(solids)
        self.centre = np.array([s.centre for s in solids], np.float32).T
        self.half = np.array([s.half for s in solids], np.float32).T
        self.colour = np.array([s.colour for s in solids], np.float32).T
        self.axis = np.array([-1 if s.axis is None else s.axis for s in solids])
        self.lights = tuple(lights)
        self.shadow_size = shadow_size

    @cached_property
    def corners(self) -> Array:
        """(3, solids, 8): each solid's bounding box."""
        signs = np.array(np.meshgrid(*[[-1, 1]] * 3), np.float32).reshape(3, 1, 8)
        return self.centre[:, :, None] + signs * self.half[:, :, None]

    @cached_property
    def radius(self) -> float:
        """Of the sphere around the origin that holds every solid."""
        return float(np.sqrt((self.corners**2).sum(0)).max())

    @cached_property
    def shadows(self) -> tuple[tuple[Rays, Array], ...]:
        """For each light its parallel rays and how far each of them gets."""
        maps = []
        for light in self.lights:
            rays = parallel_rays(light.towards, self.radius, self.shadow_size)
            maps.append((rays, first_hits(self, rays)[0]))
        return tuple(maps)


def camera_rays(world_from_camera: Array, focal: float, size: int) -> Rays:
    """The rays of a square pinhole camera (OpenGL frame) through its pixels' centres."""
    across = (np.arange(size, dtype=np.float32) + 0.5 - size / 2) / focal
    x, y = np.meshgrid(across, -across)
    local = np.stack([x, y, -np.ones_like(x)]) / np.sqrt(x**2 + y**2 + 1)
    rotation, eye = world_from_camera[:3, :3], world_from_camera[:3, 3]

    def place(points: Array) -> tuple[Array, Array]:
        seen = _turn(rotation.T, points - _column(eye, points))
        scale = focal / -seen[2]
        return seen[0] * scale + size / 2, size / 2 - seen[1] * scale

    origins = np.broadcast_to(eye[:, None, None], local.shape)
    return Rays(origins, _turn(rotation, local), place)


def parallel_rays(towards: Sequence[float], radius: float, size: int) -> Rays:
    """Rays that come from `towards` and cover the sphere of `radius` around the origin."""
    back = np.array(towards, np.float32)
    right = np.cross([0.0, 0.6, 0.8], back)
    right = (right / np.linalg.norm(right)).astype(np.float32)
    up = np.cross(back, right).astype(np.float32)
    pixel = 2 * radius / size
    across = (np.arange(size, dtype=np.float32) + 0.5 - size / 2) * pixel
    x, y = np.meshgrid(across, -across)
    origins = sum(v[:, None, None] * c for v, c in ((right, x), (up, y)))
    origins = (origins + radius * back[:, None, None]).astype(np.float32)

    def place(points: Array) -> tuple[Array, Array]:
        return size / 2 + _dot(right, points) / pixel, size / 2 - _dot(up, points) / pixel

    return Rays(origins, np.broadcast_to(-back[:, None, None], origins.shape), place)


def first_hits(model: Model, rays: Rays) -> tuple[Array, NDArray[np.int32]]:
    """Distance along each ray to the first solid (inf where none), and that solid's index (-1)."""
    distance = np.full((rays.size, rays.size), np.inf, np.float32)
    which = np.full((rays.size, rays.size), -1, np.int32)
    column, row = rays.place(model.corners)
    # A ray of the grid lies at index + 0.5.
    left, top = (np.floor(a.min(-1) - 0.5).astype(int).clip(0) for a in (column, row))
    right, bottom = (np.ceil(a.max(-1) + 0.5).astype(int) for a in (column, row))
    for index, solid in enumerate(model.solids):
        window = (slice(top[index], bottom[index]), slice(left[index], right[index]))
        best = distance[window]
        if best.size:
            near, far = _interval(solid, rays.origins[:, *window], rays.directions[:, *window])
            closer = (near < far) & (near < best)
            best[closer] = near[closer]
            which[window][closer] = index
    return distance, which


def _interval(solid: Solid, origins: Array, directions: Array) -> tuple[Array, Array]:
    """Where each ray enters and leaves the solid; entry >= exit where it misses."""
    near: Array | float = -np.inf
    far: Array | float = np.inf
    across = [axis for axis in range(3) if axis != solid.axis]
    offsets = [np.float32(solid.centre[axis]) - origins[axis] for axis in range(3)]
    # Along an axis, a division by zero gives the right infinities.
    with np.errstate(divide="ignore", invalid="ignore"):
        for axis in across if solid.axis is None else (solid.axis,):
            half = np.float32(solid.half[axis])
            low, high = (offsets[axis] + sign * half for sign in (-1, 1))
            first, second = low / directions[axis], high / directions[axis]
            near = np.maximum(near, np.minimum(first, second))
            far = np.minimum(far, np.maximum(first, second))
        if solid.axis is not None:
            first, second = _mantle(
                np.float32(solid.half[across[0]]),
                *(offsets[axis] for axis in across),
                *(directions[axis] for axis in across),
            )
            near, far = np.maximum(near, first), np.minimum(far, second)
    return np.asarray(near, np.float32), np.asarray(far, np.float32)


def _mantle(radius: np.float32, ob: Array, oc: Array, db: Array, dc: Array) -> tuple[Array, Array]:
    """Where a ray is within `radius` of a cylinder's axis, from its two components across it."""
    square = db * db + dc * dc
    middle = (ob * db + oc * dc) / square
    miss = ob * dc - oc * db  # the ray's distance from the axis, times sqrt(square)
    reach = np.sqrt(radius * radius * square - miss * miss) / square
    parallel = square < 1e-12
    if parallel.any():
        inside = ob * ob + oc * oc < radius * radius
        middle = np.where(parallel, np.float32(0), middle)
        endless = np.where(inside, np.float32(np.inf), np.float32(np.nan))
        reach = np.where(parallel, endless, reach)
    return middle - reach, middle + reach


def picture(
    model: Model, world_from_camera: Array, focal: float, size: int, samples: int
) -> tuple[Array, Array]:
    """One view: (size, size, 3) display colours on black, and (size, size) coverage in [0, 1].

    Each pixel is the mean of `samples` x `samples` rays, taken after display encoding, so that
    the picture is coverage x colour: what a compositing renderer can reproduce exactly.
    """
    rays = camera_rays(world_from_camera, focal * samples, size * samples)
    distance, which = first_hits(model, rays)
    hit = which >= 0
    directions = rays.directions[:, hit]
    points = rays.origins[:, hit] + distance[hit] * directions
    fine = np.zeros((*hit.shape, 4), np.float32)
    fine[hit, :3] = np.clip(_shade(model, points, directions, which[hit]), 0, 1).T ** (1 / 2.2)
    fine[hit, 3] = 1
    coarse = fine.reshape(size, samples, size, samples, 4).mean((1, 3))
    return coarse[..., :3], coarse[..., 3]


def _shade(model: Model, points: Array, directions: Array, which: NDArray[np.int32]) -> Array:
    """Lambert's law plus Blinn-Phong highlights, each light only where nothing hides it."""
    normals = _normals(model, points, which)
    diffuse = np.zeros_like(points)
    glossy = np.zeros_like(points)
    # Lifted off the surface by more than a shadow map's pixel, lest it shadow itself.
    lifted = points + normals * np.float32(4 * model.radius / model.shadow_size)
    for light, (rays, reach) in zip(model.lights, model.shadows, strict=True):
        towards = np.array(light.towards, np.float32)
        facing = np.maximum(_dot(towards, normals), 0)
        column, row = (np.clip(a.astype(np.int32), 0, rays.size - 1) for a in rays.place(lifted))
        seen = model.radius - _dot(towards, lifted) <= reach[row, column]
        radiance = np.array(light.radiance, np.float32)[:, None]
        lit = np.where(seen, facing, 0)
        diffuse += radiance * lit
        if light.gloss:
            half = towards[:, None] - directions
            half /= np.sqrt((half**2).sum(0))
            highlight = np.maximum((half * normals).sum(0), 0) ** np.float32(_SHININESS)
            glossy += radiance * np.where(lit > 0, light.gloss * highlight, 0)
    return model.colour[:, which] * diffuse + glossy


def _normals(model: Model, points: Array, which: NDArray[np.int32]) -> Array:
    """Outward unit normals: of the face whose plane, or mantle, the point is nearest to."""
    local = (points - model.centre[:, which]) / model.half[:, which]
    axis = model.axis[which]
    face = np.abs(local).argmax(0)
    normals = np.where(np.arange(3)[:, None] == face, np.sign(local), 0).astype(np.float32)
    radial = np.where(np.arange(3)[:, None] == axis, 0, local)
    length = np.sqrt((radial**2).sum(0))
    along = np.abs(np.take_along_axis(local, axis[None].clip(0), 0)[0])
    mantle = (axis >= 0) & (length > along)
    cap = (axis >= 0) & ~mantle
    normals[:, mantle] = (radial / np.maximum(length, 1e-6))[:, mantle]
    caps = (np.arange(3)[:, None] == axis) * np.sign(local)
    normals[:, cap] = caps[:, cap]
    return normals


def _dot(vector: Array, points: Array) -> Array:
    x, y, z = (np.float32(v) for v in vector)
    return np.asarray(x * points[0] + y * points[1] + z * points[2], np.float32)


def _turn(rotation: Array, points: Array) -> Array:
    return np.stack([_dot(row, points) for row in rotation])


def _column(vector: Array, like: Array) -> Array:
    return vector.reshape(3, *[1] * (like.ndim - 1))
