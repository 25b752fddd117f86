"""Metrics of rendered views that plugins add to PSNR and SSIM, such as LPIPS.

    @register_metric("lpips", direction="min")
    def lpips(rendered: Tensor, photograph: Tensor) -> float: ...

A metric gets a held-out view as rendered and as photographed, (height, width, 3) each, colours from
0 to 1 on the CPU. nerf/evaluation/image_metrics.py measures it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nerf.common.errors import InputError
from nerf.common.registration import Registrations, check_name, current_plugin, declare

if TYPE_CHECKING:
    from torch import Tensor

    Measure = Callable[[Tensor, Tensor], float]

_TRIED_PIXELS = 32
"""Side of the images that a new metric is tried on, at least."""

_TAKEN = {"psnr", "ssim", "seconds", "memory", "loss", "learning_rate", "step", "seed"}
"""Names of what is recorded of every NeRF."""


@dataclass(frozen=True)
class ImageMetric:
    """A plugin's metric."""

    name: str
    measure: Measure
    minimize: bool
    unit: str
    smallest: int
    """Pixels that a side of its images has at least, where the scene's have as many."""
    plugin: str

    def __call__(self, rendered: Tensor, photograph: Tensor) -> float:
        """Its value for a view; raises `InputError` where the plugin's code raises."""
        try:
            return float(self.measure(rendered, photograph))
        except Exception as error:
            words = " ".join(f"{type(error).__name__}: {error}".split())
            raise InputError(f"metric {self.name!r} of {self.plugin} raises {words}") from None


class ImageMetrics(Registrations[ImageMetric]):
    """The metrics of all loaded plugins."""

    @property
    def all(self) -> tuple[ImageMetric, ...]:
        return tuple(self._pieces.values())

    @property
    def smallest_side(self) -> int:
        """Pixels that a side of an image needs for all of them."""
        return max((metric.smallest for metric in self.all), default=1)

    def register(
        self, name: str, direction: str, unit: str = "", smallest: int = 1
    ) -> Callable[[Measure], Measure]:
        """A decorator that adds a metric; raises `InputError` for a name that exists.

        direction: `max` or `min`
        smallest: pixels that a side of its images needs. While training only every n-th row and
        column of a view is rendered; n is then small enough for this, and evaluations take longer.
        """
        check_name(name)
        if name in _TAKEN or name.startswith("test_") or name in self._pieces:
            raise InputError(f"metric {name!r} exists already; give it another name")
        if direction not in ("max", "min"):
            raise InputError(f"metric {name!r} needs direction='max' or 'min', got {direction!r}")

        def add(measure: Measure) -> Measure:
            self._pieces[name] = ImageMetric(
                name, measure, direction == "min", unit, smallest, current_plugin()
            )
            return measure

        return add

    def check(self, piece: ImageMetric) -> None:
        """Raises `InputError` where a metric of two small images is no finite number."""
        import torch

        side = max(_TRIED_PIXELS, piece.smallest)
        images = torch.rand(2, side, side, 3, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            value = piece(images[0], images[1])
        if not math.isfinite(value):
            raise InputError(
                f"metric {piece.name!r} is {value} for two images of {side} x {side} pixels; "
                "make it a finite number"
            )


IMAGE_METRICS = ImageMetrics()
"""Those of this process."""

declare(IMAGE_METRICS)
