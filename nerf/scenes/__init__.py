"""Scenes: images with their cameras, from any source, in one canonical form."""

from __future__ import annotations

import zipfile
from pathlib import Path

from nerf.common.errors import InputError
from nerf.scenes.builtin.bricks import load_bricks
from nerf.scenes.builtin.tiny_lego import load_tiny_lego
from nerf.scenes.formats import llff
from nerf.scenes.formats.blender import load_blender
from nerf.scenes.formats.capture import Background
from nerf.scenes.formats.colmap import load_colmap, sparse_folder
from nerf.scenes.formats.instant_ngp import load_instant_ngp
from nerf.scenes.formats.scene_checks import WAY_OUT, scene_error
from nerf.scenes.formats.tiny_nerf import load_tiny_nerf
from nerf.scenes.scene import Bounds, Scene, split_views

__all__ = ["Background", "Bounds", "Scene", "load", "split_views"]

KINDS = "a tiny-NeRF .npz, or a folder as of Blender, instant-ngp, COLMAP or LLFF"


def load(source: str, *, downscale: int = 1, background: Background = "white") -> Scene:
    """The scene that `--scene` names: "bricks", "tiny-lego" or a path, known by what it holds.

    `downscale` divides width and height of a folder's photographs; `background` is what lies
    behind pictures with an alpha channel. Raises `InputError` for an unknown name, for a path
    that holds no scene, and for a scene that breaks a rule.
    """
    if downscale < 1:
        raise InputError(f"--downscale must be a whole number from 1 on, got {downscale}")
    path = Path(source)
    if source in ("bricks", "tiny-lego") or path.is_file():
        if downscale > 1:
            raise InputError(
                f"--downscale is for folders of photographs, {source} is none; drop it"
            )
        return _load_one_piece(source, path)
    if not path.is_dir():
        raise InputError(f"no scene {source!r}: neither a built-in one nor a path; {WAY_OUT}")
    return _load_folder(path, downscale, background)


def _load_one_piece(source: str, path: Path) -> Scene:
    if source == "bricks":
        return load_bricks()
    if source == "tiny-lego":
        return load_tiny_lego()
    if zipfile.is_zipfile(path):
        return load_tiny_nerf(path)
    raise scene_error(path, f"is no scene ({KINDS} is one); {WAY_OUT}")


def _load_folder(folder: Path, downscale: int, background: Background) -> Scene:
    if (folder / "transforms_train.json").exists():
        return load_blender(folder, downscale, background)
    if (folder / "transforms.json").exists():
        return load_instant_ngp(folder, downscale, background)
    sparse = sparse_folder(folder)
    if sparse is not None:
        return load_colmap(folder, sparse, downscale, background)
    if (folder / llff.FILE).exists():
        return llff.load_llff(folder, downscale, background)
    raise scene_error(folder, f"is no scene ({KINDS} is one); {WAY_OUT}")
