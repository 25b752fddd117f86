"""The built-in scene: a locomotive of bricks, with as many views as tiny LEGO, of the same size.

Nothing is downloaded. The views are ray-traced on first use, which takes some seconds, and cached
in the user's cache folder, under a name that changes with the code that renders them.
"""

from __future__ import annotations

import contextlib
import io
import math
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nerf.common.code_hash import hash_code
from nerf.common.files import cache_folder, write_atomically
from nerf.common.progress import progress_bar
from nerf.scenes.bounds.suggest import with_bounds
from nerf.scenes.builtin import locomotive, raytrace
from nerf.scenes.scene import Float32, Scene, split_views

CAMERA_DISTANCE = 4.0311  # from the origin, scene units, as in tiny LEGO
_FOCAL_PER_WIDTH = 1.38888889  # focal length as a multiple of the image width
_SHADOW_SIZE = 512  # pixels a side of each light's shadow map
_PLASTIC_NUMBER = 1.32471795724474602596  # the real root of x^3 = x + 1
_GENERATOR = ("locomotive.py", "raytrace.py", "bricks.py")  # the files that make the pixels


def load_bricks(views: int = 106, size: int = 100, samples: int = 3) -> Scene:
    """Loads the scene from the cache; renders it first if the cache has no valid copy."""
    file = cache_folder() / f"bricks-{views}x{size}x{samples}-{_generator_hash()}.npz"
    pixels = _read_cache(file, (views, size, size, 4))
    if pixels is None:
        with progress_bar("rendering the bricks scene", views) as advance:
            pixels = render_views(views, size, samples, lambda: advance(1))
        _write_cache(file, pixels)
    return _to_scene(pixels)


def render_views(
    views: int, size: int, samples: int, on_view: Callable[[], None] = lambda: None
) -> NDArray[np.uint8]:
    """Renders premultiplied colours and coverage of every view: (views, size, size, 4).

    Rounded to 8 bits, so that all machines agree on the values.
    """
    model = raytrace.LitModel(
        locomotive.build_locomotive(), locomotive.build_lights(), _SHADOW_SIZE
    )
    pixels = np.empty((views, size, size, 4), np.uint8)
    focal = _FOCAL_PER_WIDTH * size
    for view, pose in enumerate(camera_poses(views)):
        colours, coverage = raytrace.render_view(model, pose, focal, size, samples)
        pixels[view] = np.rint(np.dstack([colours, coverage]) * 255)
        on_view()
    return pixels


def _to_scene(pixels: NDArray[np.uint8]) -> Scene:
    """The scene of rendered views, with cameras, split and bounds."""
    views, size = pixels.shape[:2]
    splits = split_views(views)
    rgba = (pixels / 255).astype(np.float32)
    scene = Scene(
        name="bricks",
        source="bricks",
        images=rgba[..., :3],
        alphas=rgba[..., 3],
        world_from_camera=camera_poses(views),
        focal=np.full((views, 2), _FOCAL_PER_WIDTH * size, np.float32),
        centre=np.full((views, 2), size / 2, np.float32),
        background=np.zeros(3, np.float32),
        description="built-in locomotive of bricks",
        train=splits["train"],
        val=splits["val"],
        test=splits["test"],
    )
    return with_bounds(scene)


def camera_poses(views: int) -> Float32:
    """Poses (views, 4, 4) of cameras spread over the upper hemisphere, looking at the origin.

    Heights and azimuths follow the R2 low-discrepancy sequence (Roberts 2018), so that any run of
    views, and each held-out split, covers the hemisphere as evenly as all views do.
    """
    poses = np.zeros((views, 4, 4))
    for view in range(views):
        # Uniform heights on a sphere give uniform areas; 0.1 to 0.98 leaves out horizon and pole.
        height = 0.1 + 0.88 * ((0.5 + (view + 1) / _PLASTIC_NUMBER) % 1)
        azimuth = 2 * math.pi * ((0.5 + (view + 1) / _PLASTIC_NUMBER**2) % 1)
        across = math.sqrt(1 - height**2)
        back = np.array([across * math.cos(azimuth), across * math.sin(azimuth), height])
        right = np.array([-math.sin(azimuth), math.cos(azimuth), 0.0])
        poses[view] = np.eye(4)
        up, position = np.cross(back, right), CAMERA_DISTANCE * back
        poses[view, :3] = np.stack([right, up, back, position], axis=1)
    return poses.astype(np.float32)


def _generator_hash() -> str:
    """Hash of the code that the pixels depend on."""
    folder = Path(__file__).parent
    return hash_code((folder / name for name in _GENERATOR), folder)


def _read_cache(file: Path, shape: tuple[int, ...]) -> NDArray[np.uint8] | None:
    """The cached views, or None if the file is missing, damaged or of another shape."""
    try:
        with np.load(file, allow_pickle=False) as archive:
            pixels = archive["pixels"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return pixels if pixels.shape == shape and pixels.dtype == np.uint8 else None


def _write_cache(file: Path, pixels: NDArray[np.uint8]) -> None:
    content = io.BytesIO()
    np.savez_compressed(content, pixels=pixels)
    with contextlib.suppress(OSError):  # without a cache the next run renders again
        write_atomically(file, content.getvalue())
