"""Scene formats that plugins add, and how their readers are called.

    @register_scene_format("survey")
    def read_survey(path: Path) -> Capture | None: ...

A reader gets the folder or file of --scene before this program's own readers do, and returns None
for what is not of its format. Paths, images, poses and lenses of its `Capture` pass the same
checks.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nerf.common.errors import InputError
from nerf.common.python_files import describe_exception
from nerf.common.registration import Registrations, check_name, current_plugin, declare
from nerf.scenes.formats.capture import Capture
from nerf.scenes.formats.scene_checks import scene_error
from nerf.scenes.formats.view import View

Reader = Callable[[Path], Capture | None]


@dataclass(frozen=True)
class SceneFormat:
    """A plugin's reader."""

    name: str
    read: Reader
    plugin: str

    def __str__(self) -> str:
        return f"the scene format {self.name!r} of {self.plugin}"


class SceneFormats(Registrations[SceneFormat]):
    """The formats of all loaded plugins."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._pieces)

    def register(self, name: str) -> Callable[[Reader], Reader]:
        """A decorator that adds a reader; raises `InputError` for a name that exists."""
        check_name(name)
        if name in self._pieces:
            raise InputError(f"scene format {name!r} exists already; give it another name")

        def add(read: Reader) -> Reader:
            self._pieces[name] = SceneFormat(name, read, current_plugin())
            return read

        return add

    def check(self, piece: SceneFormat) -> None:
        """Raises `InputError` where a reader does not return None for an empty folder."""
        with tempfile.TemporaryDirectory() as empty:
            if _read(piece, Path(empty)) is not None:
                raise InputError(
                    f"{piece} reads an empty folder as a scene; return None for what is "
                    "not of this format"
                )

    def read(self, path: Path, follow_links: bool = False) -> Capture | None:
        """What the first reader that knows `path` returns; None where none does.

        Raises `InputError` where a reader raises, or returns anything but a `Capture`; also for
        images outside the scene's folder, unless `follow_links` trusts them.
        """
        for scene_format in self._pieces.values():
            capture = _read(scene_format, path)
            if capture is not None:
                if not follow_links:
                    _check_inside(capture, path)
                return capture
        return None


def _read(scene_format: SceneFormat, path: Path) -> Capture | None:
    try:
        capture = scene_format.read(path)
    except InputError:
        raise
    except Exception as error:
        words = describe_exception(error)
        raise scene_error(path, f"{scene_format} raises {words}") from None
    if capture is None:
        return None
    if fault := _find_fault(capture):
        raise scene_error(path, f"{scene_format} returns {fault}")
    return capture


def _check_inside(capture: Capture, path: Path) -> None:
    folder = (path if path.is_dir() else path.parent).resolve()
    for view in capture.views:
        for file in (view.file, view.mask):
            if file and not file.resolve().is_relative_to(folder):
                raise scene_error(
                    path,
                    f"{file} is outside the scene's folder; copy it there, or trust the path with "
                    "--follow-links",
                )


def _find_fault(capture: object) -> str:
    """What a reader must not return, and what it should; empty if nothing is wrong."""
    if not isinstance(capture, Capture):
        return f"{type(capture).__name__}; return a Capture of nerf.plugins, or None"
    if not capture.views:
        return "a Capture without views"
    views: Sequence[Any] = capture.views  # of a stranger's code
    for number, view in enumerate(views):
        if not isinstance(view, View):
            return f"{type(view).__name__} as view {number}; make each a View of nerf.plugins"
        for name, file in (("file", view.file), ("mask", view.mask)):
            if not isinstance(file, Path) and (name, file) != ("mask", None):
                return f"the {name} of view {number} as {type(file).__name__}; make it a Path"
        for name, shape in (("pose", (4, 4)), ("focal", (2,)), ("centre", (2,))):
            found = np.asarray(getattr(view, name))
            if found.shape != shape or found.dtype.kind not in "fiu":
                return (
                    f"the {name} of view {number} as {found.dtype} of shape {found.shape}; make "
                    f"it numbers of shape {shape}"
                )
    return ""


SCENE_FORMATS = SceneFormats()
"""Those of this process."""

declare(SCENE_FORMATS)
