"""Scenes: images with their cameras, loaded from any supported source by `load`.

Rooms, each importing only from those after it:

    builtin      scenes that need no files: ray-traced bricks, studio and courtyard; tiny LEGO
    photographs  pictures and videos without cameras, whose poses COLMAP estimates
    formats      readers of Blender, instant-ngp, COLMAP, LLFF and tiny-NeRF data
    bounds       suggested near and far, and the image that shows them
    cameras      pixels to rays, lens distortion, camera paths, the canonical frame
    scene        the `Scene` itself, in scene.py
    images       the pixels of its views, in images.py

Imports `common`.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import get_args

from nerf.common.errors import InputError
from nerf.scenes.builtin.bricks import load_bricks
from nerf.scenes.builtin.courtyard import load_courtyard
from nerf.scenes.builtin.studio import load_studio, load_studio_corner
from nerf.scenes.builtin.tiny_lego import load_tiny_lego
from nerf.scenes.formats import llff
from nerf.scenes.formats.blender import load_blender
from nerf.scenes.formats.capture import Background, build_scene
from nerf.scenes.formats.colmap import load_colmap
from nerf.scenes.formats.colmap_folders import find_sparse
from nerf.scenes.formats.instant_ngp import load_instant_ngp
from nerf.scenes.formats.plugin_formats import SCENE_FORMATS
from nerf.scenes.formats.scene_checks import WAY_OUT, scene_error
from nerf.scenes.formats.tiny_nerf import load_tiny_nerf
from nerf.scenes.photographs.load_photographs import (
    explain_no_pictures,
    is_video,
    load_photographs,
    load_video,
    photographs_folder,
)
from nerf.scenes.scene import Bounds, Scene, split_views

__all__ = ["BUILT_IN", "Background", "Bounds", "Scene", "load", "load_saved", "split_views"]

BUILT_IN: dict[str, Callable[[], Scene]] = {
    "bricks": load_bricks,
    "studio": load_studio,
    "studio-corner": load_studio_corner,
    "courtyard": load_courtyard,
    "tiny-lego": load_tiny_lego,
}
"""Loaders of the built-in scenes, by name."""

_OWN_FORMATS = (
    "a tiny-NeRF .npz file, a Blender, instant-ngp, COLMAP or LLFF folder, a folder of "
    "photographs, or a video"
)


def load(
    source: str,
    *,
    downscale: int = 1,
    background: Background = "auto",
    follow_links: bool = False,
) -> Scene:
    """Loads a built-in scene by its name, or a path, whose format is recognised by its files.

    The readers of plugins are asked first.
    `downscale` divides the width and height of a folder's images. `background` is the colour of a
    ray that hits nothing, as in `build_scene`. `follow_links` trusts symbolic links and paths that
    lead out of the scene's folder. Raises `InputError` for an unknown name or background, for a
    path that is not a scene, and for a scene with invalid data.
    """
    if downscale < 1:
        raise InputError(f"--downscale must be a whole number of at least 1, got {downscale}")
    if background not in get_args(Background):
        names = ", ".join(get_args(Background))
        raise InputError(f"the background must be one of {names}, got {background!r}")
    path = Path(source)
    if source not in BUILT_IN and path.exists():
        capture = SCENE_FORMATS.read(path, follow_links)
        if capture is not None:
            return build_scene(capture, downscale, background)
    if path.is_file() and path.suffix.lower() == ".json":
        return _load_json(path, downscale, background, follow_links)
    if path.is_file() and is_video(path):
        return load_video(path, downscale, background)
    if source in BUILT_IN or path.is_file():
        if downscale > 1:
            raise InputError(
                f"--downscale applies to folders of images, {source} is not a folder; omit it"
            )
        if background == "none":
            raise InputError(
                f"--background none applies to folders of images, {source} is not a folder; omit it"
            )
        return _load_single(source, path)
    if not path.is_dir():
        raise InputError(f"no scene {source!r}: not built in and no such path; {WAY_OUT}")
    return _load_folder(path, downscale, background, follow_links)


def load_saved(
    source: str,
    content_hash: str,
    *,
    downscale: int,
    background: Background,
    follow_links: bool = False,
) -> Scene:
    """Loads a scene whose `content_hash` was saved; it has another if its files have changed.

    In earlier versions "white" was "auto" for images without an alpha channel.
    """
    scene = load(source, downscale=downscale, background=background, follow_links=follow_links)
    if scene.content_hash != content_hash and background == "white":
        earlier = load(source, downscale=downscale, follow_links=follow_links)
        if earlier.content_hash == content_hash:
            return earlier
    return scene


def _formats() -> str:
    """What --scene takes, in words."""
    added = "".join(f", {name} by --plugin" for name in SCENE_FORMATS.names)
    return _OWN_FORMATS + added


def _load_single(source: str, path: Path) -> Scene:
    if source in BUILT_IN:
        return BUILT_IN[source]()
    if zipfile.is_zipfile(path):
        return load_tiny_nerf(path)
    raise scene_error(path, f"is not a scene (supported: {_formats()}); {WAY_OUT}")


def _load_json(file: Path, downscale: int, background: Background, follow_links: bool) -> Scene:
    """Loads the scene of a camera file: of its whole folder if it is of the Blender layout."""
    if re.fullmatch(r"transforms_(train|val|test)\.json", file.name):
        return _load_folder(file.parent, downscale, background, follow_links)
    return load_instant_ngp(file, downscale, background, follow_links)


def _load_folder(folder: Path, downscale: int, background: Background, follow_links: bool) -> Scene:
    if (folder / "transforms_train.json").exists():
        return load_blender(folder, downscale, background, follow_links)
    if (folder / "transforms.json").exists():
        return load_instant_ngp(folder / "transforms.json", downscale, background, follow_links)
    sparse = find_sparse(folder)
    if sparse is not None:
        return load_colmap(folder, sparse, downscale, background, follow_links)
    if (folder / llff.FILE).exists():
        return llff.load_llff(folder, downscale, background, follow_links)
    torn = find_sparse(folder, whole=False)
    if torn is not None:  # raises, naming the file that is missing
        return load_colmap(folder, torn, downscale, background, follow_links)
    if photographs_folder(folder) is not None and not any(folder.glob("*.json")):
        _check_no_cameras_around(folder)
        return load_photographs(folder, downscale, background, follow_links)
    raise scene_error(folder, f"is not a scene (supported: {_formats()}){_hint(folder)}; {WAY_OUT}")


def _check_no_cameras_around(pictures: Path) -> None:
    """Rejects the images of a capture without its cameras, which would be estimated again."""
    around = pictures.resolve().parent
    if re.fullmatch(r"images(_\d+)?|input", pictures.name) and _has_cameras(around):
        raise scene_error(
            pictures,
            f"holds the images of a capture with cameras; give {around} as --scene, or copy the "
            "images elsewhere to estimate their cameras again",
        )


def _hint(folder: Path) -> str:
    """What to give as --scene in place of a folder that is none, or an empty string."""
    if folder.resolve().name == "sparse":
        return "; give the folder around it, which has the images"
    cameras = sorted(path.name for path in folder.glob("*.json"))
    if cameras:
        return f"; if {cameras[0]} holds its cameras, give that file as --scene, else move it away"
    arrays = sorted(path.name for path in folder.glob("*.npz"))
    if arrays:
        return f"; it has {arrays[0]}: give that file as --scene"
    within = [path for path in sorted(folder.iterdir()) if path.is_dir()]
    scenes = [path.name for path in within if _has_cameras(path) or photographs_folder(path)]
    if scenes:
        return f"; its folder {scenes[0]} is one: give that as --scene"
    return explain_no_pictures(folder)


def _has_cameras(folder: Path) -> bool:
    """Whether a folder has cameras where readers look for them."""
    names = ("transforms.json", "transforms_train.json", llff.FILE)
    return any((folder / name).exists() for name in names) or find_sparse(folder) is not None
