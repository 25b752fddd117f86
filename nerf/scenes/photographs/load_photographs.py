"""Loads folders of photographs and videos that come without cameras."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

from nerf.scenes.formats.capture import Background
from nerf.scenes.formats.colmap import load_model
from nerf.scenes.formats.colmap_files import read_reconstruction
from nerf.scenes.formats.colmap_folders import Sparse
from nerf.scenes.formats.find_images import Shrunk, is_image_name
from nerf.scenes.formats.untrusted_files import regular_file
from nerf.scenes.photographs.model_files import Model, find_model
from nerf.scenes.photographs.video_frames import VIDEO_SUFFIXES, extract_frames
from nerf.scenes.scene import Scene

_FOLDERS = (".", "images", "input")
_UNREAD = (".heic", ".heif", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".avif")


def is_video(path: Path) -> bool:
    """Whether a file's name ends as videos do."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def photographs_folder(folder: Path) -> Path | None:
    """The folder of the pictures: `folder`, or its `images` or `input`; None without pictures."""
    for name in _FOLDERS:
        place = folder / name
        if place.is_dir() and any(is_image_name(file.name) for file in place.iterdir()):
            return place
    return None


def explain_no_pictures(folder: Path) -> str:
    """What a folder without readable pictures has in their place, or an empty string."""
    suffixes = Counter(file.suffix.lower() for file in folder.iterdir())
    for suffix in _UNREAD:
        if suffixes[suffix]:
            return f"; it has {suffixes[suffix]} pictures as {suffix}: convert them to JPEG"
    for suffix in VIDEO_SUFFIXES:
        if suffixes[suffix]:
            return f"; it has a {suffix} video: give that file as --scene"
    return ""


def load_photographs(
    folder: Path, downscale: int, background: Background, follow_links: bool
) -> Scene:
    """Loads the scene of a folder's pictures, with cameras estimated by COLMAP.

    The cameras are taken from the cache where the same pictures were loaded before. Raises
    `InputError` if too few pictures can be placed, with what to photograph better.
    """
    place = photographs_folder(folder)
    assert place is not None
    pictures = [
        regular_file(file, follow_links)
        for file in sorted(place.iterdir(), key=lambda file: _in_order(file.name))
        if is_image_name(file.name)
    ]
    model = find_model(folder, pictures, ordered=False)
    return _load(folder, model, place, downscale, background, follow_links)


def load_video(video: Path, downscale: int, background: Background) -> Scene:
    """Loads the scene of a video's sharpest frames, with cameras estimated by COLMAP."""
    folder = extract_frames(video)
    pictures = sorted(folder.glob("*.jpg"))
    model = find_model(video, pictures, ordered=True)
    notes = (f"{len(pictures)} frames of {video.name} were chosen, the sharpest of each window",)
    scene = _load(folder, model, folder, downscale, background, follow_links=False)
    return replace(scene, name=video.stem, notes=notes + scene.notes)


def _load(
    folder: Path,
    model: Model,
    pictures: Path,
    downscale: int,
    background: Background,
    follow_links: bool,
) -> Scene:
    """The scene of a folder, from its estimated model and the folder of its pictures."""
    sparse = Sparse(model.folder, (), model.notes)
    reconstruction = read_reconstruction(model.folder)
    return load_model(
        folder, sparse, reconstruction, Shrunk(pictures), downscale, background, follow_links
    )


def _in_order(name: str) -> list[tuple[int, str]]:
    """A sort key by which 2.jpg comes before 10.jpg."""
    parts = re.split(r"(\d+)", name.lower())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
