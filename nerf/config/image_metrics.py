"""Metrics of rendered views that plugins add to PSNR and SSIM, such as LPIPS.

    @register_metric("lpips", direction="min")
    def lpips(rendered: Tensor, photograph: Tensor) -> float: ...

A metric gets a held-out view as rendered and as photographed, (height, width, 3) each, colours from
0 to 1 on the CPU. nerf/evaluation/image_metrics.py measures it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nerf.common.errors import InputError
from nerf.common.python_files import describe_exception
from nerf.common.registration import Registrations, check_name, current_plugin, declare

Measure = Callable[[Any, Any], float]
"""Of two tensors; this module is imported where PyTorch is not."""

_HOME = "nerf.evaluation.image_metrics"

TEST_PREFIX = "test_"
"""Before the name of a metric: of test views rather than validation views."""

_TAKEN = {
    *("psnr", "ssim", "seconds", "memory", "loss", "learning_rate", "step", "steps", "seed"),
    *("state", "reason", "device", "curve", "held_out", "scene", "views", "config", "plugins"),
    *("trial_id", "number", "phase", "steps_done", "budget_steps", "train_seconds"),
    *("peak_memory", "started", "ended", "host", "outcome", "score", "variant"),
}
"""Names of what else is recorded of a run or a trial."""


@dataclass(frozen=True)
class ImageMetric:
    """A plugin's metric."""

    name: str
    measure: Measure
    minimize: bool
    unit: str
    smallest: int
    """Pixels that a side of an image needs; of a smaller one the metric is NaN."""
    plugin: str

    def __call__(self, rendered: Any, photograph: Any) -> float:
        """Its value for a view; raises `InputError` where the plugin's code raises."""
        try:
            return float(self.measure(rendered, photograph))
        except Exception as error:
            raise InputError(
                f"metric {self.name!r} of {self.plugin} raises {describe_exception(error)}"
            ) from None


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
        if name in _TAKEN or name.startswith(TEST_PREFIX):
            raise InputError(f"metric {name!r} has a name with another meaning; give it another")
        if name in self._pieces:
            raise InputError(f"metric {name!r} exists already; give it another name")
        if ":" in unit:
            raise InputError(f"the unit of metric {name!r} must have no colon, got {unit!r}")
        if direction not in ("max", "min"):
            raise InputError(f"metric {name!r} needs direction='max' or 'min', got {direction!r}")

        def add(measure: Measure) -> Measure:
            self._pieces[name] = ImageMetric(
                name, measure, direction == "min", unit, smallest, current_plugin()
            )
            return measure

        return add

    def check(self, piece: ImageMetric) -> None:
        """Tries a metric on two images; raises `InputError` unless it gives a finite number."""
        importlib.import_module(_HOME).try_metric(piece)


IMAGE_METRICS = ImageMetrics()
"""Those of this process."""

declare(IMAGE_METRICS)
