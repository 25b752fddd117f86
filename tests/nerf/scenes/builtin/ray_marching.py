"""A slow ray tracer to compare with: it tests points along each ray."""

from __future__ import annotations

import numpy as np

from nerf.scenes.builtin.raytrace import Solid


def random_solids(seed: int, count: int) -> list[Solid]:
    """White boxes and cylinders within 1.2 units of the origin along each axis."""
    draw = np.random.default_rng(seed)
    solids = []
    for _ in range(count):
        axis = [None, 0, 1, 2][draw.integers(4)]
        half = draw.uniform(0.1, 0.4, 3)
        if axis is not None:
            half[[a for a in range(3) if a != axis]] = draw.uniform(0.1, 0.4)
        solids.append(Solid(tuple(draw.uniform(-0.8, 0.8, 3)), tuple(half), (1.0, 1.0, 1.0), axis))
    return solids


def contains(solid: Solid, points: np.ndarray) -> np.ndarray:
    """Whether each point (..., 3) lies in the solid."""
    local = (points - np.array(solid.centre)) / np.array(solid.half)
    if solid.axis is None:
        return (abs(local) <= 1).all(-1)
    across = np.delete(local, solid.axis, axis=-1)
    return (abs(local[..., solid.axis]) <= 1) & ((across**2).sum(-1) <= 1)


def march(solids: list[Solid], origin: np.ndarray, direction: np.ndarray) -> float:
    """Distance to the first of 8,001 points along the ray that lies in any solid; inf if none."""
    t = np.linspace(0, 8, 8001)
    inside = np.any([contains(s, origin + t[:, None] * direction) for s in solids], axis=0)
    return float(t[inside.argmax()]) if inside.any() else np.inf
