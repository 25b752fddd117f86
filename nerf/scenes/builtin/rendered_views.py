"""Ray-traced views of built-in scenes: cameras, rendering, and a cache in the user's cache folder.

The views are rendered on first use, which takes some seconds. The name of a cached file changes
with the code that renders it.
"""

from __future__ import annotations

import contextlib
import io
import math
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nerf.common.code_hash import hash_code
from nerf.common.files import cache_folder, write_atomically
from nerf.common.progress import progress_bar
from nerf.scenes.builtin.raytrace import LitModel, render_view
from nerf.scenes.scene import Float32

Pixels = NDArray[np.uint8]

_FOLDER = Path(__file__).parent
COMMON_SOURCES = [_FOLDER / name for name in ("locomotive.py", "raytrace.py", "rendered_views.py")]
"""Files of code that the pixels of every rendered scene depend on."""

_PLASTIC_NUMBER = 1.32471795724474602596  # the real root of x^3 = x + 1


@dataclass(frozen=True)
class Shot:
    """Cameras of one focal length in pixels, and square images with `samples`^2 rays a pixel."""

    poses: Float32  # (views, 4, 4), world_from_camera
    focal: float
    size: int
    samples: int


def load_views(
    name: str, shot: Shot, build_model: Callable[[], LitModel], sources: Sequence[Path]
) -> Pixels:
    """Loads the views of `render_views` from the cache; renders them if it has no valid copy.

    `sources` are the files of code that the pixels depend on.
    """
    views, size = len(shot.poses), shot.size
    grid = f"{views}x{size}x{shot.samples}"
    file = cache_folder() / f"{name}-{grid}-{hash_sources(sources)}.npz"
    pixels = _read_cache(file, (views, size, size, 4))
    if pixels is None:
        with progress_bar(f"rendering the {name} scene", views) as advance:
            pixels = render_views(build_model(), shot, lambda: advance(1))
        _write_cache(file, pixels)
    return pixels


def render_views(model: LitModel, shot: Shot, on_view: Callable[[], None] = lambda: None) -> Pixels:
    """Renders premultiplied colours and coverage of every view: (views, size, size, 4).

    Rounded to 8 bits, so that all machines agree on the values.
    """
    pixels = np.empty((len(shot.poses), shot.size, shot.size, 4), np.uint8)
    for view, pose in enumerate(shot.poses):
        colours, coverage = render_view(model, pose, shot.focal, shot.size, shot.samples)
        pixels[view] = np.rint(np.dstack([colours, coverage]) * 255)
        on_view()
    return pixels


def hemisphere_poses(views: int, distance: float) -> Float32:
    """Poses (views, 4, 4) of cameras spread over the upper hemisphere, looking at the origin.

    Heights and azimuths follow the R2 low-discrepancy sequence (Roberts 2018), so that any run of
    views, and each held-out split, covers the hemisphere as evenly as all views do.
    """
    poses = np.zeros((views, 4, 4))
    for view in range(views):
        # Uniform heights on a sphere give uniform areas; 0.1 to 0.98 leaves out horizon and pole.
        height = 0.1 + 0.88 * ((0.5 + (view + 1) / _PLASTIC_NUMBER) % 1)
        azimuth = 2 * math.pi * ((0.5 + (view + 1) / _PLASTIC_NUMBER**2) % 1)
        back = back_direction(height, azimuth)
        poses[view] = look_back_along(back)
        poses[view, :3, 3] = distance * back
    return poses.astype(np.float32)


def back_direction(height: float, azimuth: float) -> NDArray[np.float64]:
    """The unit vector with z = `height` and the angle `azimuth` from x towards y."""
    across = math.sqrt(1 - height**2)
    return np.array([across * math.cos(azimuth), across * math.sin(azimuth), height])


def look_back_along(back: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pose (4, 4) of an upright camera in the origin that looks along -`back`, a unit vector."""
    right = np.array([-back[1], back[0], 0.0]) / math.hypot(back[0], back[1])
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(back, right), back], axis=1)
    return pose


def hash_sources(sources: Sequence[Path]) -> str:
    """Hash of the code in files of one folder."""
    return hash_code(sources, sources[0].parent)


def _read_cache(file: Path, shape: tuple[int, ...]) -> Pixels | None:
    """The cached views, or None if the file is missing, damaged or of another shape."""
    try:
        with np.load(file, allow_pickle=False) as archive:
            pixels = archive["pixels"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return pixels if pixels.shape == shape and pixels.dtype == np.uint8 else None


def _write_cache(file: Path, pixels: Pixels) -> None:
    content = io.BytesIO()
    np.savez_compressed(content, pixels=pixels)
    with contextlib.suppress(OSError):  # without a cache the next run renders again
        write_atomically(file, content.getvalue())
