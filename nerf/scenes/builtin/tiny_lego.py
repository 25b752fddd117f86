"""The NeRF authors' tiny LEGO scene, fetched from their page into the user's cache folder."""

from __future__ import annotations

import logging
from typing import Any

from nerf.common.errors import InputError
from nerf.common.files import cache_folder
from nerf.common.progress import progress_bar
from nerf.scenes.formats.scene_checks import WAY_OUT
from nerf.scenes.formats.tiny_nerf import load_tiny_nerf
from nerf.scenes.scene import Scene

URL = "https://cseweb.ucsd.edu/~viscomp/projects/LF/papers/ECCV20/nerf/tiny_nerf_data.npz"
_FOCAL = 138.88887889922103


def load_tiny_lego(url: str = URL) -> Scene:
    """The scene from the cache, or fetched first.

    Raises `InputError` where it cannot be fetched or what came is another file; such a file is
    not kept.
    """
    file = cache_folder() / "tiny_nerf_data.npz"
    if not file.exists():
        _fetch(url)
    try:
        scene = load_tiny_nerf(file, name="tiny-lego")
        _check(scene)
    except InputError as error:
        file.unlink()
        raise InputError(f"what {url} sent is not tiny LEGO ({error}); {WAY_OUT}") from None
    return scene


def _check(scene: Scene) -> None:
    found = (*scene.images.shape, round(float(scene.focal[0, 0]), 3))
    wanted = (106, 100, 100, 3, round(_FOCAL, 3))
    if found != wanted:
        raise InputError(f"images and focal length are {found}, should be {wanted}")


def _fetch(url: str) -> None:
    """Leaves the file in the cache whole, or nothing at all."""
    import pooch  # type: ignore[import-untyped]
    import requests

    pooch.get_logger().setLevel(logging.WARNING)
    with progress_bar("fetching tiny LEGO", 1) as advance:
        download = pooch.HTTPDownloader(progressbar=_Bar(advance), timeout=20)
        try:
            pooch.retrieve(
                url,
                known_hash=None,
                fname="tiny_nerf_data.npz",
                path=cache_folder(),
                downloader=download,
            )
        except (requests.RequestException, OSError, ValueError) as error:
            reason = type(error).__name__
            raise InputError(f"cannot fetch tiny LEGO from {url} ({reason}); {WAY_OUT}") from None


class _Bar:
    """A progress bar as pooch wants one: it learns the size of the file late."""

    def __init__(self, advance: Any) -> None:
        self.advance = advance
        self.total = 0

    def update(self, size: int) -> None:
        self.advance(size / max(self.total, 1))

    def reset(self) -> None:
        self.advance(-1)

    def close(self) -> None:
        pass
