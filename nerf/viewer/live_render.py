"""Renders a NeRF for the camera that a browser looks through: coarse while it moves, then fine."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from nerf.evaluation.evaluate import render_rays
from nerf.model.nerf import Nerf
from nerf.model.spacing import nearness
from nerf.scenes.cameras.pinhole import Pinhole
from nerf.scenes.scene import Float32

MOVING_PIXELS = 8_000
"""Pixels of an image while the camera moves; on two cores some tenths of a second."""

_MODEL_LOCK = threading.Lock()
"""One image at a time: near and far are set in the model, which all clients share."""

_STILL_SECONDS = 0.3  # without movement, before a fine image is begun
_POLL_SECONDS = 0.02
_MIN_NEAR = 1e-3  # scene units; samples in disparity cannot begin at 0


@dataclass(frozen=True)
class BrowserCamera:
    """A browser's camera: world_from_camera (OpenGL), vertical field of view in radians, aspect."""

    pose: Float32
    fov: float
    aspect: float


@dataclass(frozen=True)
class RenderSettings:
    """What to render: at most `pixels` (0: nothing), "colour" or "depth", between near and far."""

    pixels: int
    what: str
    near: float
    far: float


@dataclass(frozen=True)
class Image:
    """rgb: (height, width, 3) uint8; depth: (height, width, 1) along the optical axis."""

    rgb: np.ndarray
    depth: Float32


def render_image(
    model: Nerf, camera: BrowserCamera, settings: RenderSettings, background: Float32
) -> Image:
    """What the NeRF shows to `camera`; depth from white (near) to black (far)."""
    height = max(round(math.sqrt(settings.pixels / camera.aspect)), 2)
    width = max(round(height * camera.aspect), 2)
    focal = height / 2 / math.tan(camera.fov / 2)
    directions = Pinhole(
        camera.pose,
        np.array([focal, focal], np.float32),
        np.array([width / 2, height / 2], np.float32),
        height,
        width,
    ).directions()
    origin = torch.tensor(camera.pose[:3, 3]).expand(height, width, 3)
    near = max(settings.near, _MIN_NEAR)
    sampling = model.sampling = replace(model.sampling, near=near, far=settings.far)
    rendered = render_rays(model, origin, torch.tensor(directions), background)
    shown = rendered.rgb
    if settings.what == "depth":
        shown = nearness(rendered.depth, sampling)[..., None].expand(-1, -1, 3)
    # From the distance along the ray to the distance along the optical axis, -z of the camera.
    along_axis = rendered.depth.numpy() * -(directions @ camera.pose[:3, 2])
    rgb = (np.nan_to_num(shown.numpy()) * 255 + 0.5).astype(np.uint8)
    return Image(rgb, along_axis[..., None].astype(np.float32))


def camera_of(client: Any) -> BrowserCamera:
    """The camera of a viser client, whose axes are x right, y down, z ahead."""
    from scipy.spatial.transform import Rotation

    rotation = Rotation.from_quat(client.camera.wxyz, scalar_first=True).as_matrix()
    pose = np.eye(4, dtype=np.float32)
    pose[:3, :3] = rotation * (1, -1, -1)  # to y up, looking along -z
    pose[:3, 3] = client.camera.position
    return BrowserCamera(pose, float(client.camera.fov), float(client.camera.aspect))


class LiveRender(threading.Thread):
    """Renders for one client, in a thread of its own, until `stop` is called.

    `settings` is called before each image.
    """

    def __init__(
        self,
        client: Any,
        model: Nerf,
        background: Float32,
        settings: Callable[[], RenderSettings],
    ) -> None:
        super().__init__(daemon=True)
        self._client = client
        self._model = model
        self._background = background
        self._settings = settings
        self._stopped = threading.Event()
        self._changed_at = 0.0
        self._due: list[float] = []  # limits on the pixels of the images that are still to come
        self.refresh()
        client.camera.on_update(lambda _: self.refresh())

    def refresh(self) -> None:
        """Renders again: coarse at once, fine when nothing has changed for a moment."""
        self._changed_at = time.monotonic()
        self._due = [MOVING_PIXELS, math.inf]

    def stop(self) -> None:
        """Ends the thread after the image it is at."""
        self._stopped.set()

    def run(self) -> None:
        while not self._stopped.wait(_POLL_SECONDS):
            still = time.monotonic() - self._changed_at > _STILL_SECONDS
            if self._due and (still or self._due[0] == MOVING_PIXELS):
                self._show(self._due.pop(0))

    def _show(self, most: float) -> None:
        settings = self._settings()
        settings = replace(settings, pixels=int(min(settings.pixels, most)))
        if not settings.pixels:
            self._client.scene.set_background_image(None)
            return
        with _MODEL_LOCK:
            image = render_image(self._model, camera_of(self._client), settings, self._background)
        self._client.scene.set_background_image(image.rgb, format="jpeg", depth=image.depth)
