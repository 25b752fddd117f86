"""Scenes: images with their cameras, from any source, in one canonical form."""

from __future__ import annotations

import zipfile
from pathlib import Path

from nerf.errors import InputError
from nerf.scenes.bricks import load_bricks
from nerf.scenes.checks import WAY_OUT, refuse
from nerf.scenes.scene import Scene, split_views
from nerf.scenes.tiny_lego import load_tiny_lego
from nerf.scenes.tiny_nerf import load_tiny_nerf

__all__ = ["Scene", "load", "split_views"]


def load(source: str) -> Scene:
    """The scene that `--scene` names: "bricks", "tiny-lego" or a path.

    Raises `InputError` for an unknown name, for a path that holds no scene, and for a scene that
    breaks a rule.
    """
    if source == "bricks":
        return load_bricks()
    if source == "tiny-lego":
        return load_tiny_lego()
    path = Path(source)
    if not path.exists():
        raise InputError(f"no scene {source!r}: neither a built-in one nor a file; {WAY_OUT}")
    if path.is_file() and zipfile.is_zipfile(path):
        return load_tiny_nerf(path)
    raise refuse(path, f"is no scene (a tiny-NeRF .npz is one); {WAY_OUT}")
