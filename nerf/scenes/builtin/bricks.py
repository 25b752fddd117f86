"""The built-in scene: a locomotive of bricks, seen as tiny LEGO is.

Nothing is downloaded. The pictures are ray-traced on first use (some seconds) and then kept in
the user's cache folder, under a name that changes with the code that makes them.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import math
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nerf.common.files import cache_folder, write_atomically
from nerf.common.progress import progress_bar
from nerf.scenes.bounds.suggest import with_bounds
from nerf.scenes.builtin import locomotive, raytrace
from nerf.scenes.scene import Float32, Scene, split_views

DISTANCE = 4.0311  # of each camera from the origin, as in tiny LEGO
_FOCAL_PER_PIXEL = 1.38888889
_SHADOW_SIZE = 512


def load_bricks(views: int = 106, size: int = 100, samples: int = 3) -> Scene:
    """The scene from the cache, or traced anew where the cache lacks it or is broken."""
    file = cache_folder() / f"bricks-{views}x{size}x{samples}-{_generator_hash()}.npz"
    pixels = _read(file, (views, size, size, 4))
    if pixels is None:
        with progress_bar("making the bricks scene", views) as advance:
            pixels = trace(views, size, samples, lambda: advance(1))
        _write(file, pixels)
    return scene_of(pixels)


def trace(
    views: int, size: int, samples: int, on_view: Callable[[], None] = lambda: None
) -> NDArray[np.uint8]:
    """(views, size, size, 4): premultiplied colours and coverage of every view.

    Rounded to 8 bits, so that machines agree on the bytes.
    """
    model = raytrace.Model(locomotive.locomotive(), locomotive.lights(), _SHADOW_SIZE)
    pixels = np.empty((views, size, size, 4), np.uint8)
    for view, pose in enumerate(poses(views)):
        colours, coverage = raytrace.picture(model, pose, _FOCAL_PER_PIXEL * size, size, samples)
        pixels[view] = np.rint(np.dstack([colours, coverage]) * 255)
        on_view()
    return pixels


def scene_of(pixels: NDArray[np.uint8]) -> Scene:
    """The pictures with their cameras, background and split."""
    views, size = pixels.shape[:2]
    splits = split_views(views)
    unit = (pixels / 255).astype(np.float32)
    scene = Scene(
        name="bricks",
        source="bricks",
        images=unit[..., :3],
        alphas=unit[..., 3],
        world_from_camera=poses(views),
        focal=np.full((views, 2), _FOCAL_PER_PIXEL * size, np.float32),
        centre=np.full((views, 2), size / 2, np.float32),
        background=np.zeros(3, np.float32),
        description="built-in locomotive of bricks",
        train=splits["train"],
        val=splits["val"],
        test=splits["test"],
    )
    return with_bounds(scene)


def poses(views: int) -> Float32:
    """(views, 4, 4): cameras spread evenly over the upper hemisphere, looking at the origin.

    Heights and azimuths follow the R2 low-discrepancy sequence, so that any run of views, and
    each held-out set, is spread as evenly as the whole.
    """
    plastic = 1.32471795724474602596
    found = np.zeros((views, 4, 4))
    for view in range(views):
        height = 0.1 + 0.88 * ((0.5 + (view + 1) / plastic) % 1)
        azimuth = 2 * math.pi * ((0.5 + (view + 1) / plastic**2) % 1)
        across = math.sqrt(1 - height**2)
        back = np.array([across * math.cos(azimuth), across * math.sin(azimuth), height])
        right = np.array([-math.sin(azimuth), math.cos(azimuth), 0.0])
        found[view] = np.eye(4)
        found[view, :3] = np.stack([right, np.cross(back, right), back, DISTANCE * back], axis=1)
    return found.astype(np.float32)


def _generator_hash() -> str:
    digest = hashlib.sha256()
    for source in (locomotive.__file__, raytrace.__file__, __file__):
        digest.update(Path(source).read_bytes())
    return digest.hexdigest()[:16]


def _read(file: Path, shape: tuple[int, ...]) -> NDArray[np.uint8] | None:
    """The cached pictures, or None where they are missing, torn or not what they should be."""
    try:
        with np.load(file, allow_pickle=False) as archive:
            pixels = archive["pixels"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return pixels if pixels.shape == shape and pixels.dtype == np.uint8 else None


def _write(file: Path, pixels: NDArray[np.uint8]) -> None:
    content = io.BytesIO()
    np.savez_compressed(content, pixels=pixels)
    with contextlib.suppress(OSError):  # an unwritable cache costs the next run some seconds
        write_atomically(file, content.getvalue())
