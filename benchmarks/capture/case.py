"""One capture: what it is, how it is written, and what is true of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture.lenses import Camera, Floats
from capture.world import Shown

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Picture:
    """The truth of one picture as it should be read."""

    name: str
    colours: Floats
    """(height, width, 3) in [0, 1], over the scene's background."""
    rays: Floats
    """(height, width, 3), unit, in the world."""
    position: Floats
    """(3,), of the camera."""
    seen: Floats
    """(n,), distances of surfaces that it shows."""
    valid: Mask | None = None
    """(height, width), the pixels that count; None: all."""

    def masked(self, valid: Mask) -> Picture:
        return replace(self, valid=valid)


@dataclass(frozen=True)
class Truth:
    """What is true of a capture.

    `held_out` are names that must not be trained on; `test`, where given, are exactly the test
    views. `mentions` are words of which each must be printed. `refused` are words of the refusal,
    if it is to be refused.
    """

    pictures: tuple[Picture, ...] = ()
    held_out: frozenset[str] = frozenset()
    test: frozenset[str] | None = None
    background: tuple[float, float, float] = (0.0, 0.0, 0.0)
    mentions: tuple[str, ...] = ()
    refused: tuple[str, ...] | None = None
    value_error: float = 0.004
    """Largest mean difference of a picture's values: more for lossy files."""
    stride: int = 1
    """Of the pictures here, along rows and columns, in what should be read."""
    few_views: bool = False

    def __str__(self) -> str:
        if self.refused is not None:
            return f"to be refused, naming {', '.join(self.refused)}"
        heights = {p.colours.shape[:2] for p in self.pictures}
        height, width = max(h for h, _ in heights), max(w for _, w in heights)
        held = f", {len(self.held_out)} held out" * bool(self.held_out)
        masks = ", masked" * any(p.valid is not None for p in self.pictures)
        shade = "".join(f"{round(255 * c):02x}" for c in self.background)
        said = f"; says {', '.join(self.mentions)}" * bool(self.mentions)
        return (
            f"{len(self.pictures)} views of {width} x {height}{held}{masks}, before #{shade}{said}"
        )


Writer = Callable[[Path], tuple[Path, Truth]]


@dataclass(frozen=True)
class Case:
    """A capture with the options that `nerf/train.py` gets."""

    name: str
    about: str
    write: Writer
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def command(self) -> str:
        """The options as on a command line."""
        words = []
        for name, value in self.options.items():
            option = f"--{name.replace('_', '-')}"
            words.append(option if value is True else f"{option} {value}")
        return " ".join(words)


def case(about: str, **options: Any) -> Callable[[Writer], Case]:
    """Makes a case of a function, named like it, that writes a capture and returns its truth."""

    def decorate(write: Writer) -> Case:
        return Case(write.__name__.strip("_").replace("_", " "), about, write, options)

    return decorate


def collect(module: dict[str, Any]) -> list[Case]:
    """The cases that a module defines, in its order."""
    return [value for value in module.values() if isinstance(value, Case)]


def truth_of(
    name: str, pose: Floats, camera: Camera, colours: Floats, shown: Shown | None = None
) -> Picture:
    """The truth of a picture with these colours; `shown` has its distances."""
    seen = np.empty(0) if shown is None else shown.distances[np.isfinite(shown.distances)]
    return Picture(name, colours, camera.rays() @ pose[:3, :3].T, pose[:3, 3], seen)


def refusal(*words: str) -> Truth:
    """The truth of a capture that is to be refused, in a line with these words."""
    return Truth(refused=words)


def held_out(truth: Truth, names: Sequence[str], **changes: Any) -> Truth:
    """The truth with these names held out by the author."""
    return replace(truth, held_out=frozenset(names), **changes)
