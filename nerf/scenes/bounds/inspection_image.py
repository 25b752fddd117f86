"""Draws inspect.png: a scene's cameras, points and bounds, to judge near and far by eye.

Upper panels, at one scale: cameras and points from above (x right, y up) and from the side (x
right, z up), with the frusta between near and far of a few cameras. Lower panel: one row per
camera, dark at distances where it sees points, with near and far as lines across all rows. Points
outside the two lines will not be rendered. Lengths are in scene units.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.bounds.suggest import distances_in_frame
from nerf.scenes.cameras.lens import lens_of
from nerf.scenes.cameras.pixel_rays import pixel_directions
from nerf.scenes.scene import Scene

_PANEL, _STRIP, _MARGIN = 560, 240, 24
_LINE = 20  # height of a line of text
_HEADER = 5 * _LINE  # summary, legend, titles of the panels
_STRIP_TOP = _HEADER + _PANEL + 3 * _LINE  # below its title and the names of near and far
_HEIGHT = _STRIP_TOP + _STRIP + 3 * _LINE
_WIDTH = 2 * _PANEL + 3 * _MARGIN
_BINS = 2 * _PANEL + _MARGIN
_PAPER, _INK, _FAINT, _POINT = (255, 255, 255), (40, 44, 52), (214, 218, 224), (120, 126, 136)
_CAMERA = {"train": (31, 119, 180), "val": (44, 160, 44), "test": (214, 39, 40)}
_NEAR, _FAR = (235, 120, 10), (130, 60, 200)
_MAX_FRUSTA = 3
_MAX_POINTS = 5000
_SUMMARY_LINES = 2
_FONT_SIZE = 14

Array = NDArray[np.float64]


def draw_inspection(scene: Scene) -> NDArray[np.uint8]:
    """Draws the three panels below two lines of explanation: RGB, (height, width, 3)."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", (_WIDTH, _HEIGHT), _PAPER)
    draw = ImageDraw.Draw(image)
    draw.font = ImageFont.load_default(_FONT_SIZE)
    points = _some_points(scene)
    _draw_map(draw, scene, points, (_MARGIN, _HEADER), (0, 1), "from above: x to the right, y up")
    _draw_map(
        draw,
        scene,
        points,
        (2 * _MARGIN + _PANEL, _HEADER),
        (0, 2),
        "from the side: x to the right, z up",
    )
    distances = [distances_in_frame(scene, view, points) for view in range(len(scene.images))]
    _draw_distances(image, draw, scene, distances)
    _draw_explanation(draw, scene, np.concatenate(distances))
    return np.asarray(image)


def _draw_map(
    draw: Any,
    scene: Scene,
    points: Array,
    corner: tuple[int, int],
    axes: tuple[int, int],
    title: str,
) -> None:
    """Draws cameras, points and some frusta, projected to the two world `axes`."""
    eyes = scene.world_from_camera[:, :3, 3].astype(np.float64)
    frusta = [frustum_corners(scene, view) for view in _spread(len(eyes))]
    shown = np.concatenate([eyes, *(corners.reshape(-1, 3) for corners in frusta)])
    # One scale for both axes, so that the larger extent fills the panel.
    low, high = shown.min(0), shown.max(0)
    scale = (_PANEL - 2 * _MARGIN) / max(float((high - low).max()), 1e-9)

    def to_pixels(world: Array) -> Array:
        flat = (world - (low + high) / 2)[..., list(axes)] * scale * (1, -1)
        return np.asarray(flat + np.array(corner) + _PANEL / 2)

    draw.rectangle((*corner, corner[0] + _PANEL, corner[1] + _PANEL), outline=_FAINT)
    for x, y in to_pixels(points):
        if corner[0] < x < corner[0] + _PANEL and corner[1] < y < corner[1] + _PANEL:
            draw.rectangle((x, y, x + 1, y + 1), fill=_POINT)
    for view, corners in zip(_spread(len(eyes)), frusta, strict=True):
        _draw_frustum(draw, to_pixels(eyes[view]), to_pixels(corners))
    for view, (x, y) in enumerate(to_pixels(eyes)):
        draw.ellipse(
            (x - 4, y - 4, x + 4, y + 4), fill=_CAMERA[_split(scene, view)], outline=_PAPER
        )
    draw.text((corner[0], corner[1] - 5), title, fill=_INK, anchor="ls")
    _draw_scale_bar(draw, (corner[0] + _PANEL - 12, corner[1] + _PANEL - 12), scale)


def _draw_scale_bar(draw: Any, end: tuple[int, int], pixels_per_unit: float) -> None:
    """Draws a bar of a round length, about a fifth of a panel, that ends at `end`."""
    length = _round_length(_PANEL / 5 / pixels_per_unit)
    start = end[0] - length * pixels_per_unit
    text = f"{length:g} scene {'unit' if length == 1 else 'units'}"
    left = end[0] - draw.textlength(text)
    draw.rectangle((min(start, left) - 4, end[1] - 22, end[0] + 4, end[1] + 4), fill=_PAPER)
    draw.line((start, end[1], *end), fill=_INK, width=3)
    draw.text((end[0], end[1] - 5), text, fill=_INK, anchor="rs")


def _round_length(length: float) -> float:
    """The largest of ..., 0.1, 0.2, 0.5, 1, 2, 5, ... that is no longer than `length`."""
    power = 10.0 ** math.floor(math.log10(length))
    return float(f"{max(m * power for m in (1, 2, 5) if m * power <= length):.12g}")


def _draw_distances(image: Any, draw: Any, scene: Scene, distances: list[Array]) -> None:
    """Draws a row per camera: a histogram of the distances to the points that it sees."""
    from PIL import Image

    farthest = max(
        [scene.bounds.far, *(float(np.percentile(d, 99.8)) for d in distances if len(d))]
    )
    end = 1.1 * farthest
    rows = np.stack([np.histogram(d, _BINS // 4, (0, end))[0] for d in distances])
    # The square root keeps bins with few points visible.
    dark = np.sqrt(rows / np.maximum(rows.max(1, keepdims=True), 1))
    left, top = _MARGIN, _STRIP_TOP
    heat = Image.fromarray((255 - 200 * dark).astype(np.uint8))
    image.paste(heat.resize((_BINS, _STRIP), Image.Resampling.NEAREST), (left, top))
    draw.rectangle((left, top, left + _BINS, top + _STRIP), outline=_FAINT)
    title = "where each camera sees points: a row for each camera, dark where there are many"
    draw.text((left, top - _LINE - 5), title, fill=_INK, anchor="ls")
    bounds = (("near", scene.bounds.near, _NEAR, "r"), ("far", scene.bounds.far, _FAR, "l"))
    for name, value, colour, side in bounds:
        x = left + _BINS * value / end
        draw.line((x, top, x, top + _STRIP), fill=colour, width=3)
        # Outward of the lines, where the two names cannot meet, but not beyond the strip.
        text = f"{name} {value:.2f}"
        room = draw.textlength(text) if side == "r" else 0.0
        draw.text((max(x, left + room), top - 5), text, fill=colour, anchor=f"{side}s")
    _draw_distance_axis(draw, end)


def _draw_distance_axis(draw: Any, end: float) -> None:
    """Draws ticks and numbers below the strip, which ends at the distance `end`."""
    step = _round_length(end / 5)
    bottom = _STRIP_TOP + _STRIP
    for place in range(math.floor(end / step) + 1):
        x = _MARGIN + _BINS * place * step / end
        draw.line((x, bottom, x, bottom + 5), fill=_INK)
        anchor = "lt" if place == 0 else "mt"
        draw.text((x, bottom + 8), f"{place * step:g}", fill=_INK, anchor=anchor)
    middle = _MARGIN + _BINS / 2
    text = "distance from the camera, scene units"
    draw.text((middle, bottom + 8 + _LINE), text, fill=_INK, anchor="mt")


def frustum_corners(scene: Scene, view: int) -> Array:
    """The four corners of a view's image at the near and far distances: (2, 4, 3)."""
    columns, rows = np.array([0, scene.width - 1]), np.array([0, scene.height - 1])
    camera = scene.world_from_camera[view], scene.focal[view], scene.centre[view]
    corners = pixel_directions(*camera, columns, rows, lens_of(scene, view))
    directions = corners.reshape(4, 3)[[0, 1, 3, 2]]
    distances = np.array([scene.bounds.near, scene.bounds.far])
    eye = scene.world_from_camera[view, :3, 3].astype(np.float64)
    return np.asarray(eye + distances[:, None, None] * directions)


def _draw_frustum(draw: Any, eye: Array, corners: Array) -> None:
    """Draws the near and far faces in their colours and the edges to the camera in grey."""
    for corner in corners[1]:
        draw.line([*eye, *corner], fill=_FAINT)
    for face, colour in zip(corners, (_NEAR, _FAR), strict=True):
        draw.line([*face.reshape(-1), *face[0]], fill=colour, width=2)


def _draw_explanation(draw: Any, scene: Scene, distances: Array) -> None:
    """Writes the summary, a legend, and the share of points between near and far."""
    for index, line in enumerate(_wrap(draw, scene.summary)):
        draw.text((_MARGIN, 8 + _LINE * index), line, fill=_INK)
    x, y = float(_MARGIN), 8 + _LINE * _SUMMARY_LINES
    bounds_and_points = {"near": _NEAR, "far": _FAR, "points": _POINT}
    cameras = {f"{split} camera": colour for split, colour in _CAMERA.items()}
    for text, colour in (cameras | bounds_and_points).items():
        draw.rectangle((x, y + 2, x + 11, y + 13), fill=colour)
        draw.text((x + 17, y), text, fill=_INK)
        x += 34 + draw.textlength(text)
    if len(distances):
        near, far = scene.bounds.near, scene.bounds.far
        share = 100 * ((distances >= near) & (distances <= far)).mean()
        text = f"{share:.1f} % of the points that cameras see lie between near and far"
        draw.text((x, y), text, fill=_INK)


def _wrap(draw: Any, text: str) -> list[str]:
    """The text in lines of the image's width, cut after `_SUMMARY_LINES` of them."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if draw.textlength(longer) > _WIDTH - 2 * _MARGIN:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines[:_SUMMARY_LINES]


def _some_points(scene: Scene) -> Array:
    """The scene's points (n, 3), thinned out evenly to about 5,000."""
    if scene.points is None:
        return np.empty((0, 3))
    step = max(len(scene.points) // _MAX_POINTS, 1)
    return scene.points[::step].astype(np.float64)


def _spread(views: int) -> list[int]:
    """A few views, spread evenly over their order."""
    return sorted({round(x) for x in np.linspace(0, views - 1, _MAX_FRUSTA + 2)[1:-1]})


def _split(scene: Scene, view: int) -> str:
    return next((split for split in ("val", "test") if view in scene.views(split)), "train")
