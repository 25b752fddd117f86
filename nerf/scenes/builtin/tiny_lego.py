"""The NeRF authors' tiny LEGO scene, downloaded from their page to the user's cache folder."""

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
_FILE = "tiny_nerf_data.npz"
_FOCAL = 138.88887889922103


def load_tiny_lego(url: str = URL) -> Scene:
    """Loads the scene from the cache; downloads it first if it is not there.

    Raises `InputError` if the download fails or the file is not tiny LEGO, and deletes such a file.
    """
    file = cache_folder() / _FILE
    if not file.exists():
        _download(url)
    try:
        scene = load_tiny_nerf(file, name="tiny-lego")
        _check(scene)
    except InputError as error:
        file.unlink()
        raise InputError(f"the file from {url} is not tiny LEGO ({error}); {WAY_OUT}") from None
    return scene


def _check(scene: Scene) -> None:
    actual = (*scene.images.shape, round(float(scene.focal[0, 0]), 3))
    expected = (106, 100, 100, 3, round(_FOCAL, 3))
    if actual != expected:
        raise InputError(f"images and focal length are {actual}, should be {expected}")


def _download(url: str) -> None:
    """Downloads the file to the cache; a download that fails leaves no file."""
    import pooch  # type: ignore[import-untyped]
    import requests

    pooch.get_logger().setLevel(logging.WARNING)
    with progress_bar("downloading tiny LEGO", 1) as advance:
        download = pooch.HTTPDownloader(progressbar=_Bar(advance), timeout=20)
        try:
            pooch.retrieve(
                url,
                known_hash=None,
                fname=_FILE,
                path=cache_folder(),
                downloader=download,
            )
        except (requests.RequestException, OSError, ValueError) as error:
            reason = type(error).__name__
            raise InputError(
                f"cannot download tiny LEGO from {url} ({reason}); {WAY_OUT}"
            ) from None


class _Bar:
    """A progress bar with the interface that pooch expects; pooch sets `total` once known."""

    def __init__(self, advance: Any) -> None:
        self.advance = advance
        self.total = 0

    def update(self, size: int) -> None:
        self.advance(size / max(self.total, 1))

    def reset(self) -> None:
        self.advance(-1)

    def close(self) -> None:
        pass
