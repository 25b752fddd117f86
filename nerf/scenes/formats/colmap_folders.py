"""Where tools leave COLMAP's reconstructions within a scene's folder, and which one to read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nerf.scenes.formats.colmap_files import count_images, holds_reconstruction
from nerf.scenes.formats.find_images import choose_shrunk

_FOLDERS = {
    "sparse": ("images", "input"),
    "colmap/sparse": ("images",),
    "colmap_sparse": ("images",),  # instant-ngp's colmap2nerf.py
    "colmap_text": ("images",),
    "distorted/sparse": ("input", "images"),  # gaussian-splatting's convert.py
    "dense/sparse": ("dense/images",),  # COLMAP's undistorted images
    "dense/0/sparse": ("dense/0/images",),
    ".": ("images",),
}
"""Folders that hold a reconstruction, or several in folders 0, 1, ...; and where its images are."""


@dataclass(frozen=True)
class Sparse:
    """The reconstruction to read, and the names of folders that its images may lie in."""

    folder: Path
    photographs: tuple[str, ...]
    notes: tuple[str, ...] = ()


def find_sparse(scene: Path, whole: bool = True) -> Sparse | None:
    """The largest reconstruction in the first place that has any, and images if possible.

    A note names the others there. If it need not be `whole`, its list of images may be missing.
    """
    first = None
    for name, photographs in _FOLDERS.items():
        sparse = _largest(scene, name, photographs, whole)
        if sparse is not None and any(choose_shrunk(scene / p, 1) for p in photographs):
            return sparse
        first = first or sparse
    return first


def _largest(scene: Path, name: str, photographs: tuple[str, ...], whole: bool) -> Sparse | None:
    """The reconstruction with the most images in one place, or None if it has none."""
    place = scene / name
    numbered = sorted(place.glob("*")) if place.is_dir() and name != "." else []
    models = [folder for folder in [*numbered, place] if holds_reconstruction(folder, whole)]
    if not models:
        return None
    counts = {folder: count_images(folder) for folder in models}
    best = max(models, key=lambda folder: counts[folder])
    others = [
        f"{folder.relative_to(scene)} with {counts[folder]}" for folder in models if folder != best
    ]
    if not others:
        return Sparse(best, photographs)
    read = f"{best.relative_to(scene)} with {counts[best]} images is read"
    return Sparse(best, photographs, (f"{read}; not used: {', '.join(others)}",))
