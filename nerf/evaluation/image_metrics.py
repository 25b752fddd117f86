"""Measures the metrics that plugins registered (nerf/config/image_metrics.py) of rendered views."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from nerf.common.errors import InputError
from nerf.config.image_metrics import IMAGE_METRICS, ImageMetric

_TRIED_PIXELS = 32
"""Side of the images that a new metric is tried on, at least."""


def measure_registered(
    rendered: Float[Tensor, "height width 3"],
    photograph: Float[Tensor, "height width 3"],
    valid: Bool[Tensor, "height width"] | None = None,
) -> dict[str, float]:
    """Every registered metric of a view, by name; empty where no plugin registered one.

    A metric of whole images knows no masks, so pixels that are not valid are made equal in both.
    NaN, without asking the metric, for a view that is smaller than it needs, as the valid part of
    one may be, and where the field has diverged.
    """
    shown = rendered if valid is None else torch.where(valid[..., None], rendered, photograph)
    side = min(shown.shape[:2]) if shown.isfinite().all() else 0

    def measure(metric: ImageMetric) -> float:
        # Copies, as a plugin may change its images.
        enough = side >= metric.smallest
        return metric(shown.clone(), photograph.clone()) if enough else math.nan

    with torch.no_grad():
        return {metric.name: measure(metric) for metric in IMAGE_METRICS.all}


def try_metric(metric: ImageMetric) -> None:
    """Measures two small random images; raises `InputError` unless that gives a finite number."""
    side = max(_TRIED_PIXELS, metric.smallest)
    images = torch.rand(2, side, side, 3, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        value = metric(images[0], images[1])
    if not math.isfinite(value):
        raise InputError(
            f"metric {metric.name!r} is {value} for two images of {side} x {side} pixels; make it "
            "a finite number"
        )


def mean_over_views(views: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean of each metric over the views whose value is a number; NaN without one."""
    names = dict.fromkeys(name for view in views for name in view)
    known = {name: [view[name] for view in views if not math.isnan(view[name])] for name in names}
    return {name: fmean(values) if values else math.nan for name, values in known.items()}
