"""Finds the image files that camera files name, whatever became of their extensions and folders."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from nerf.scenes.formats.scene_checks import scene_error
from nerf.scenes.formats.untrusted_files import path_inside

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
"""Extensions of images, in the order in which they are preferred for a name without one."""


def is_image_name(name: str) -> bool:
    """Whether a file name ends as images do."""
    return PurePosixPath(name).suffix.lower() in SUFFIXES


@dataclass
class ImageFinder:
    """Looks up names in one folder, and counts what it had to guess.

    `where` is the file that the names come from, for errors.
    """

    folder: Path
    where: Path
    follow_links: bool = False
    _guesses: Counter[str] = field(default_factory=Counter)
    _listings: dict[Path, dict[str, list[str]]] = field(default_factory=dict)

    def find(self, name: object) -> Path | None:
        """The file of that name, or with another case or extension; None if there is none."""
        path = path_inside(self.folder, name, self.where, self.follow_links)
        if path.is_file():
            return path
        moved = not path.parent.is_dir()
        if moved:
            path = self._elsewhere(path.name)
        similar = self._similar(path)
        if similar is None:
            return None
        self._guesses["another folder"] += moved
        found = path.with_name(similar)
        if path.suffix.lower() in SUFFIXES and similar != path.name:
            same_but_case = similar.lower() == path.name.lower()
            self._guesses["another case" if same_but_case else "another extension"] += 1
        if not self.follow_links and not found.resolve().is_relative_to(self.folder.resolve()):
            raise scene_error(
                self.where,
                f"{similar!r} is a symbolic link out of the scene's folder; copy the file, or "
                "trust the link with --follow-links",
            )
        return found

    def find_exactly(self, name: object) -> Path | None:
        """The file of exactly that name, or None."""
        path = path_inside(self.folder, name, self.where, self.follow_links)
        return path if path.is_file() else None

    def notes(self) -> list[str]:
        """One line for each way in which files had to be guessed."""
        return [
            f"{count} image names have {difference} in {self.where.name} than on disk"
            for difference, count in sorted(self._guesses.items())
            if count
        ]

    def _elsewhere(self, name: str) -> Path:
        """The path of a name in `images`, or in the folder itself."""
        folders = [folder for folder in (self.folder / "images", self.folder) if folder.is_dir()]
        paths = [folder / name for folder in folders]
        return next((path for path in paths if self._similar(path)), self.folder / name)

    def _similar(self, path: Path) -> str | None:
        """The name on disk that differs from the path's in case or extension alone."""
        stem = path.stem if path.suffix.lower() in SUFFIXES else path.name
        names = self._listing(path.parent).get(stem.lower(), [])
        exact = [name for name in names if name.lower() == path.name.lower()]
        ranked = sorted(names, key=lambda name: SUFFIXES.index(PurePosixPath(name).suffix.lower()))
        return next(iter([*exact, *ranked]), None)

    def _listing(self, folder: Path) -> dict[str, list[str]]:
        """The names of images in a folder by their stem in lower case."""
        if folder not in self._listings:
            stems: dict[str, list[str]] = {}
            for file in sorted(folder.iterdir()) if folder.is_dir() else ():
                if is_image_name(file.name):
                    stems.setdefault(file.stem.lower(), []).append(file.name)
            self._listings[folder] = stems
        return self._listings[folder]


@dataclass(frozen=True)
class Shrunk:
    """The folder of images to read: `folder`, or its copy `folder`_N that is N times smaller."""

    folder: Path
    factor: int = 1
    note: str = ""

    def remaining(self, downscale: int) -> int:
        """What is left of a downscale of the original images."""
        return max(downscale // self.factor, 1)


def choose_shrunk(folder: Path, downscale: int) -> Shrunk | None:
    """The folder that has the images for a downscale, or None if there is none.

    These are `folder`_N for a downscale of N if it exists and has as many images, else the folder
    itself, else its least downscaled copy.
    """
    copies = {
        int(match[1]): path
        for path in folder.parent.glob(f"{folder.name}_*")
        if (match := re.fullmatch(re.escape(folder.name) + r"_(\d{1,3})", path.name))
        and path.is_dir()
        and int(match[1]) > 1
    }
    if downscale in copies:
        copied, original = _count_images(copies[downscale]), _count_images(folder)
        if copied >= original:
            return Shrunk(copies[downscale], downscale)
        name = copies[downscale].name
        note = f"{name}/ has {copied} of {original} images: those of {folder.name}/ are shrunk"
        return Shrunk(folder, note=note)
    if folder.is_dir():
        return Shrunk(folder)
    if not copies:
        return None
    factor = min(copies)
    note = f"{copies[factor].name}/ is read, as {folder.name}/ is missing"
    return Shrunk(copies[factor], factor, note)


def _count_images(folder: Path) -> int:
    """How many images a folder and those within it have; 0 if it does not exist."""
    return sum(is_image_name(path.name) for path in folder.rglob("*"))
