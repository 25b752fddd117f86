"""Ray tracing of boxes and cylinders, lit by directional lights with shadow maps.

Every solid is convex, so a ray is inside it over one interval: the intersection of three slabs'
intervals for a box (Kay and Kajiya 1986), or of one slab's and an infinite cylinder's. Visibility
from the camera and from each light is computed in the same way, on a grid of rays; each solid is
tested only against the rays in the rectangle that it projects to.

Arrays of vectors have their components first: (3, ...). Pixel centres lie at +0.5, directions have
unit length, and distances are in scene units along them. Colours are linear RGB until `render_view`
encodes them for display.
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
_GAMMA = 2.2
_SHADOW_BIAS = 4  # pixels of a shadow map


@dataclass(frozen=True)
class Solid:
    """A box, or a cylinder along `axis`, in which case its other two half sizes are its radius."""

    centre: tuple[float, float, float]
    half: tuple[float, float, float]
    colour: tuple[float, float, float]  # albedo, linear RGB
    axis: Axis | None = None


@dataclass(frozen=True)
class Rays:
    """A square grid of rays, and the projection of points to columns and rows of the grid."""

    origins: Array  # (3, size, size)
    directions: Array  # (3, size, size), unit length
    project: Callable[[Array], tuple[Array, Array]]  # NaN for points behind a camera

    @property
    def size(self) -> int:
        return int(self.directions.shape[1])


@dataclass(frozen=True)
class Light:
    """Parallel light of one RGB radiance; `gloss` is the share of it that highlights reflect."""

    towards: tuple[float, float, float]  # unit vector from the object to the light
    radiance: tuple[float, float, float]
    gloss: float


class LitModel:
    """Solids and lights, with the arrays and shadow maps that rendering needs, computed once."""

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
        """The corners of each solid's bounding box: (3, solids, 8)."""
        signs = np.array(np.meshgrid(*[[-1, 1]] * 3), np.float32).reshape(3, 1, 8)
        return self.centre[:, :, None] + signs * self.half[:, :, None]

    @cached_property
    def radius(self) -> float:
        """Radius of the sphere around the origin that contains every solid."""
        return float(np.sqrt((self.corners**2).sum(0)).max())

    @cached_property
    def shadow_maps(self) -> tuple[tuple[Rays, Array], ...]:
        """For each light, its parallel rays and the distance at which each is blocked."""
        maps = []
        for light in self.lights:
            rays = parallel_rays(light.towards, self.radius, self.shadow_size)
            maps.append((rays, first_hits(self, rays)[0]))
        return tuple(maps)


def camera_rays(world_from_camera: Array, focal: float, size: int) -> Rays:
    """The rays of a square pinhole camera (OpenGL convention) through its pixels' centres."""
    across = (np.arange(size, dtype=np.float32) + 0.5 - size / 2) / focal
    x, y = np.meshgrid(across, -across)  # rows count downwards, y is up
    local = np.stack([x, y, -np.ones_like(x)]) / np.sqrt(x**2 + y**2 + 1)
    rotation, eye = world_from_camera[:3, :3], world_from_camera[:3, 3]

    def project(points: Array) -> tuple[Array, Array]:
        in_camera = _rotate(rotation.T, points - _column(eye, points))
        depth = np.where(in_camera[2] < 0, -in_camera[2], np.nan)  # the camera looks along -z
        scale = focal / depth
        return in_camera[0] * scale + size / 2, size / 2 - in_camera[1] * scale

    origins = np.broadcast_to(eye[:, None, None], local.shape)
    return Rays(origins, _rotate(rotation, local), project)


def parallel_rays(towards: Sequence[float], radius: float, size: int) -> Rays:
    """Rays that come from `towards` and cover the sphere of `radius` around the origin.

    They start on the plane that touches the sphere, so a point p is at distance
    radius - p . towards along its ray.
    """
    back = np.array(towards, np.float32)
    right = np.cross([0.0, 0.6, 0.8], back)
    right = (right / np.linalg.norm(right)).astype(np.float32)
    up = np.cross(back, right).astype(np.float32)
    pixel = 2 * radius / size
    across = (np.arange(size, dtype=np.float32) + 0.5 - size / 2) * pixel
    x, y = np.meshgrid(across, -across)
    origins = sum(v[:, None, None] * c for v, c in ((right, x), (up, y)))
    origins = (origins + radius * back[:, None, None]).astype(np.float32)

    def project(points: Array) -> tuple[Array, Array]:
        return size / 2 + _dot(right, points) / pixel, size / 2 - _dot(up, points) / pixel

    return Rays(origins, np.broadcast_to(-back[:, None, None], origins.shape), project)


def first_hits(model: LitModel, rays: Rays) -> tuple[Array, NDArray[np.int32]]:
    """Distance along each ray to the first solid, inf if none, and the solid's index, -1 if none.

    Both are (size, size). A solid that reaches behind a camera is tested against all of its rays.
    """
    distance = np.full((rays.size, rays.size), np.inf, np.float32)
    solid_index = np.full((rays.size, rays.size), -1, np.int32)
    # The rectangle of rays around each solid's projected corners. Ray i lies at i + 0.5.
    column, row = rays.project(model.corners)
    # Corners behind a camera are NaN, and the rectangle of such a solid is the whole grid.
    left, top = (
        np.floor(np.nan_to_num(a.min(-1)) - 0.5).astype(int).clip(0) for a in (column, row)
    )
    right, bottom = (
        np.ceil(np.nan_to_num(a.max(-1), nan=rays.size) + 0.5).astype(int) for a in (column, row)
    )
    for index, solid in enumerate(model.solids):
        window = (slice(top[index], bottom[index]), slice(left[index], right[index]))
        nearest = distance[window]  # a view, so that writing to it updates `distance`
        if nearest.size:
            near, far = _interval(solid, rays.origins[:, *window], rays.directions[:, *window])
            closer = (near > 0) & (near < far) & (near < nearest)
            nearest[closer] = near[closer]
            solid_index[window][closer] = index
    return distance, solid_index


def _interval(solid: Solid, origins: Array, directions: Array) -> tuple[Array, Array]:
    """Distances at which each ray enters and leaves the solid; entry >= exit if it misses."""
    near: Array | float = -np.inf
    far: Array | float = np.inf
    across = [axis for axis in range(3) if axis != solid.axis]
    offsets = [np.float32(solid.centre[axis]) - origins[axis] for axis in range(3)]
    # A ray parallel to a slab divides by zero, and the infinities are right: it is between the
    # slab's planes everywhere, or nowhere.
    with np.errstate(divide="ignore", invalid="ignore"):
        for axis in across if solid.axis is None else (solid.axis,):
            half = np.float32(solid.half[axis])
            low, high = (offsets[axis] + sign * half for sign in (-1, 1))
            first, second = low / directions[axis], high / directions[axis]
            near = np.maximum(near, np.minimum(first, second))
            far = np.minimum(far, np.maximum(first, second))
        if solid.axis is not None:
            first, second = _cylinder_interval(
                np.float32(solid.half[across[0]]),
                *(offsets[axis] for axis in across),
                *(directions[axis] for axis in across),
            )
            near, far = np.maximum(near, first), np.minimum(far, second)
    return np.asarray(near, np.float32), np.asarray(far, np.float32)


def _cylinder_interval(
    radius: np.float32, ob: Array, oc: Array, db: Array, dc: Array
) -> tuple[Array, Array]:
    """Distances at which rays enter and leave an infinite cylinder; NaN if they miss it.

    In the plane across the axis, with components b and c: (ob, oc) points from the ray's origin to
    the axis, (db, dc) is its direction d. The ray is within `radius` of the axis at t where
    |t d - o| <= radius, around the t of its closest approach.
    """
    square = db * db + dc * dc  # |d|^2
    middle = (ob * db + oc * dc) / square
    miss = ob * dc - oc * db  # the ray's distance from the axis, times |d|
    reach = np.sqrt(radius * radius * square - miss * miss) / square
    parallel = square < 1e-12
    if parallel.any():  # to the axis: inside the cylinder all along, or nowhere
        inside = ob * ob + oc * oc < radius * radius
        middle = np.where(parallel, np.float32(0), middle)
        unbounded = np.where(inside, np.float32(np.inf), np.float32(np.nan))
        reach = np.where(parallel, unbounded, reach)
    return middle - reach, middle + reach


def render_view(
    model: LitModel, world_from_camera: Array, focal: float, size: int, samples: int
) -> tuple[Array, Array]:
    """One view: (size, size, 3) display colours on black, and (size, size) coverage in [0, 1].

    Each pixel is the mean of `samples` x `samples` rays, taken after display encoding. So a pixel
    is coverage times colour, which a NeRF that composites display colours can reproduce exactly.
    """
    rays = camera_rays(world_from_camera, focal * samples, size * samples)
    distance, solid_index = first_hits(model, rays)
    hit = solid_index >= 0
    directions = rays.directions[:, hit]
    points = rays.origins[:, hit] + distance[hit] * directions
    rgba = np.zeros((*hit.shape, 4), np.float32)
    linear = _shade(model, points, directions, solid_index[hit])
    rgba[hit, :3] = np.clip(linear, 0, 1).T ** (1 / _GAMMA)
    rgba[hit, 3] = 1
    pixels = rgba.reshape(size, samples, size, samples, 4).mean((1, 3))
    return pixels[..., :3], pixels[..., 3]


def _shade(
    model: LitModel, points: Array, directions: Array, solid_index: NDArray[np.int32]
) -> Array:
    """Linear RGB (3, points): Lambertian plus Blinn-Phong shading by the lights not in shadow."""
    normals = _normals(model, points, solid_index)
    diffuse = np.zeros_like(points)
    glossy = np.zeros_like(points)
    # Lifted off the surface by a few pixels of a shadow map, so that it does not shadow itself.
    lifted = points + normals * np.float32(_SHADOW_BIAS * model.radius / model.shadow_size)
    for light, (rays, blocked_at) in zip(model.lights, model.shadow_maps, strict=True):
        towards = np.array(light.towards, np.float32)
        cosine = np.maximum(_dot(towards, normals), 0)
        # The point is lit if the light's ray through it is not blocked before it gets there.
        column, row = (np.clip(a.astype(np.int32), 0, rays.size - 1) for a in rays.project(lifted))
        visible = model.radius - _dot(towards, lifted) <= blocked_at[row, column]
        radiance = np.array(light.radiance, np.float32)[:, None]
        lit = np.where(visible, cosine, 0)
        diffuse += radiance * lit
        if light.gloss:
            half = towards[:, None] - directions  # half-way between the light and the viewer
            half /= np.sqrt((half**2).sum(0))
            highlight = np.maximum((half * normals).sum(0), 0) ** np.float32(_SHININESS)
            glossy += radiance * np.where(lit > 0, light.gloss * highlight, 0)
    return model.colour[:, solid_index] * diffuse + glossy


def _normals(model: LitModel, points: Array, solid_index: NDArray[np.int32]) -> Array:
    """Outward unit normals (3, points) of the face, or curved side, that each point is nearest to.

    In a solid's local coordinates, its faces lie at -1 and 1 and its curved side at radius 1, so a
    surface point is on the face along its largest coordinate.
    """
    local = (points - model.centre[:, solid_index]) / model.half[:, solid_index]
    axis = model.axis[solid_index]
    face = np.abs(local).argmax(0)
    normals = np.where(np.arange(3)[:, None] == face, np.sign(local), 0).astype(np.float32)
    # A cylinder's point is on the curved side if it is farther out across the axis than along it.
    radial = np.where(np.arange(3)[:, None] == axis, 0, local)
    length = np.sqrt((radial**2).sum(0))
    along = np.abs(np.take_along_axis(local, axis[None].clip(0), 0)[0])
    on_side = (axis >= 0) & (length > along)
    on_cap = (axis >= 0) & ~on_side
    normals[:, on_side] = (radial / np.maximum(length, 1e-6))[:, on_side]
    caps = (np.arange(3)[:, None] == axis) * np.sign(local)
    normals[:, on_cap] = caps[:, on_cap]
    return normals


def _dot(vector: Array, points: Array) -> Array:
    """Dot product of one vector (3,) with points (3, ...), in float32 and a fixed order."""
    x, y, z = (np.float32(v) for v in vector)
    return np.asarray(x * points[0] + y * points[1] + z * points[2], np.float32)


def _rotate(rotation: Array, points: Array) -> Array:
    return np.stack([_dot(row, points) for row in rotation])


def _column(vector: Array, like: Array) -> Array:
    """Reshapes a vector (3,) to broadcast against `like` (3, ...)."""
    return vector.reshape(3, *[1] * (like.ndim - 1))
