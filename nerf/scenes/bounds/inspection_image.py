"""A picture of a scene's cameras, points and bounds, so that a person sees whether they fit.

Above, drawn to one scale: cameras and points from above (x right, y up) and from the side (x
right, z up), and for a few cameras the part of their view between near and far. Below: a row a
camera, dark where it sees points at that distance, with near and far drawn across; what is dark
outside the two lines will never be rendered.
"""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.cameras import pixel_rays as cameras
from nerf.scenes.scene import Scene

_PANEL, _STRIP, _MARGIN, _HEADER = 560, 240, 24, 64
_WIDTH = 2 * _PANEL + 3 * _MARGIN
_BINS = 2 * _PANEL + _MARGIN
_PAPER, _INK, _FAINT, _POINT = (255, 255, 255), (40, 44, 52), (214, 218, 224), (120, 126, 136)
_CAMERA = {"train": (31, 119, 180), "val": (44, 160, 44), "test": (214, 39, 40)}
_NEAR, _FAR = (235, 120, 10), (130, 60, 200)
_SHOWN_FRUSTA = 3
_LINE = 200  # characters that fit above the panels
_SHOWN_POINTS = 5000

Array = NDArray[np.floating[Any]]


def draw_inspection(scene: Scene) -> NDArray[np.uint8]:
    """The three panels under two lines of explanation, (height, width, 3)."""
    from PIL import Image, ImageDraw

    height = _HEADER + _PANEL + _STRIP + 3 * _MARGIN
    image = Image.new("RGB", (_WIDTH, height), _PAPER)
    draw = ImageDraw.Draw(image)
    points = _thinned(scene)
    _draw_map(draw, scene, points, (_MARGIN, _HEADER), (0, 1), "from above")
    _draw_map(draw, scene, points, (2 * _MARGIN + _PANEL, _HEADER), (0, 2), "from the side")
    seen = [_seen_distances(scene, view, points) for view in range(len(scene.images))]
    _draw_distances(image, draw, scene, seen)
    _explain(draw, scene, np.concatenate(seen))
    return np.asarray(image)


def _draw_map(
    draw: Any,
    scene: Scene,
    points: Array,
    corner: tuple[int, int],
    axes: tuple[int, int],
    title: str,
) -> None:
    """Cameras, points and some frusta, seen along the axis that is not among `axes`."""
    eyes = scene.world_from_camera[:, :3, 3].astype(np.float64)
    frusta = [frustum(scene, view) for view in _spread(len(eyes))]
    shown = np.concatenate([eyes, *(corners.reshape(-1, 3) for corners in frusta)])
    low, high = shown.min(0), shown.max(0)
    scale = (_PANEL - 2 * _MARGIN) / max(float((high - low).max()), 1e-9)

    def place(where: Array) -> Array:
        flat = (where - (low + high) / 2)[..., list(axes)] * scale * (1, -1)
        return np.asarray(flat + np.array(corner) + _PANEL / 2)

    draw.rectangle((*corner, corner[0] + _PANEL, corner[1] + _PANEL), outline=_FAINT)
    for x, y in place(points):
        if corner[0] < x < corner[0] + _PANEL and corner[1] < y < corner[1] + _PANEL:
            draw.rectangle((x, y, x + 1, y + 1), fill=_POINT)
    for view, corners in zip(_spread(len(eyes)), frusta, strict=True):
        _draw_frustum(draw, place(eyes[view]), place(corners))
    for view, (x, y) in enumerate(place(eyes)):
        draw.ellipse(
            (x - 4, y - 4, x + 4, y + 4), fill=_CAMERA[_split(scene, view)], outline=_PAPER
        )
    draw.text((corner[0] + 6, corner[1] + 4), title, fill=_INK)


def _draw_distances(image: Any, draw: Any, scene: Scene, seen: list[Array]) -> None:
    """A row a camera: how many of the points it sees lie at each distance."""
    from PIL import Image

    farthest = max([scene.bounds.far, *(float(np.percentile(d, 99.8)) for d in seen if len(d))])
    end = 1.1 * farthest
    rows = np.stack([np.histogram(d, _BINS // 4, (0, end))[0] for d in seen])
    dark = np.sqrt(rows / np.maximum(rows.max(1, keepdims=True), 1))
    left, top = _MARGIN, _HEADER + _PANEL + _MARGIN
    heat = Image.fromarray((255 - 200 * dark).astype(np.uint8))
    image.paste(heat.resize((_BINS, _STRIP), Image.Resampling.NEAREST), (left, top))
    draw.rectangle((left, top, left + _BINS, top + _STRIP), outline=_FAINT)
    for value, colour in ((scene.bounds.near, _NEAR), (scene.bounds.far, _FAR)):
        x = left + _BINS * value / end
        draw.line((x, top, x, top + _STRIP), fill=colour, width=3)
        draw.text((x + 6, top + _STRIP - 16), f"{value:.2f}", fill=colour)
    draw.text((left + 6, top + 4), "distance of points from each camera (a row each)", fill=_INK)
    draw.text((left, top + _STRIP + 4), "0", fill=_INK)
    draw.text((left + _BINS - 26, top + _STRIP + 4), f"{end:.1f}", fill=_INK)


def frustum(scene: Scene, view: int) -> Array:
    """(2, 4, 3): the four corners of a view's picture at the near and at the far distance."""
    columns, rows = np.array([0, scene.width - 1]), np.array([0, scene.height - 1])
    lens = None if scene.distortion is None else scene.distortion[view]
    camera = scene.world_from_camera[view], scene.focal[view], scene.centre[view]
    directions = cameras.pixel_directions(*camera, columns, rows, lens).reshape(4, 3)[[0, 1, 3, 2]]
    distances = np.array([scene.bounds.near, scene.bounds.far])
    eye = scene.world_from_camera[view, :3, 3].astype(np.float64)
    return np.asarray(eye + distances[:, None, None] * directions)


def _draw_frustum(draw: Any, eye: Array, corners: Array) -> None:
    """Near and far faces in their colours, the edges to the camera faintly."""
    for corner in corners[1]:
        draw.line([*eye, *corner], fill=_FAINT)
    for face, colour in zip(corners, (_NEAR, _FAR), strict=True):
        draw.line([*face.reshape(-1), *face[0]], fill=colour, width=2)


def _explain(draw: Any, scene: Scene, distances: Array) -> None:
    for line, words in enumerate(textwrap.wrap(scene.summary, _LINE)[:2]):
        draw.text((_MARGIN, 6 + 14 * line), words, fill=_INK)
    x = float(_MARGIN)
    named = {"near": _NEAR, "far": _FAR, "points": _POINT}
    cameras = {f"{split} camera": colour for split, colour in _CAMERA.items()}
    for text, colour in (cameras | named).items():
        draw.rectangle((x, 39, x + 10, 49), fill=colour)
        draw.text((x + 15, 38), text, fill=_INK)
        x += 32 + draw.textlength(text)
    if len(distances):
        near, far = scene.bounds.near, scene.bounds.far
        share = 100 * ((distances >= near) & (distances <= far)).mean()
        text = f"{share:.1f} % of the points that cameras see lie between near and far"
        draw.text((x, 38), text, fill=_INK)


def _seen_distances(scene: Scene, view: int, points: Array) -> Array:
    """From a camera to each of the points that its picture would show."""
    column, row, depth = cameras.project(scene, view, points)
    framed = (depth > 0) & (column >= 0) & (column <= scene.width)
    framed &= (row >= 0) & (row <= scene.height)
    eye = scene.world_from_camera[view, :3, 3]
    return np.asarray(np.linalg.norm(points[framed] - eye, axis=1))


def _thinned(scene: Scene) -> Array:
    """Evenly picked points, no more than a person can tell apart."""
    if scene.points is None:
        return np.empty((0, 3))
    step = max(len(scene.points) // _SHOWN_POINTS, 1)
    return scene.points[::step].astype(np.float64)


def _spread(views: int) -> list[int]:
    """Some views, far apart in the order they come in."""
    return sorted({round(x) for x in np.linspace(0, views - 1, _SHOWN_FRUSTA + 2)[1:-1]})


def _split(scene: Scene, view: int) -> str:
    return next((split for split in ("val", "test") if view in scene.views(split)), "train")
