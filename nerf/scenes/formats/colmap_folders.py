"""Where tools leave COLMAP's reconstructions within a scene's folder, and which one to read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nerf.scenes.formats.colmap_files import count_images, holds_reconstruction

_FOLDERS = {
    "sparse": ("images", "input"),
    "colmap/sparse": ("images",),
    "colmap_sparse": ("images",),  # instant-ngp's colmap2nerf.py
    "colmap_text": ("images",),
    "distorted/sparse": ("input", "images"),  # gaussian-splatting's convert.py
    "dense/sparse": ("dense/images", "images"),
    ".": ("images",),
}
"""Folders that hold a reconstruction, or several in folders 0, 1, ...; and where its images are."""


@dataclass(frozen=True)
class Sparse:
    """The reconstruction to read, and the names of folders that its images may lie in."""

    folder: Path
    photographs: tuple[str, ...]
    notes: tuple[str, ...] = ()


def find_sparse(scene: Path) -> Sparse | None:
    """The largest reconstruction in the first place that has any; a note names the others."""
    for name, photographs in _FOLDERS.items():
        place = scene / name
        numbered = sorted(place.glob("*")) if place.is_dir() and name != "." else []
        models = [folder for folder in [*numbered, place] if holds_reconstruction(folder)]
        if models:
            counts = {folder: count_images(folder) for folder in models}
            best = max(models, key=lambda folder: counts[folder])
            others = [
                f"{folder.relative_to(scene)} with {counts[folder]}"
                for folder in models
                if folder != best
            ]
            note = (
                f"{best.relative_to(scene)} with {counts[best]} images is read; not used: "
                f"{', '.join(others)}"
            )
            return Sparse(best, photographs, (note,) if others else ())
    return None
