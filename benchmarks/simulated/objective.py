"""An objective: what a simulated run scores at each point of the unit cube."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analysis.surrogate.unit_cube import Axis, make_axis
from study.spec.parse_space import parse_space
from study.spec.space import Dimension, Space

FloatArray = NDArray[np.float64]
Function = Callable[[FloatArray], FloatArray]
"""(points, axes) quantiles -> (points,)."""

Half = Literal["tuned", "reported"]

STEPS = 600
EVALUATIONS = 6

COLLAPSED_PSNR = 10.9
SILENT_PSNR = 12.0
TRIVIAL_PSNRS = {"black": 10.9, "mean colour": 12.1, "mean image": 13.9}
"""PSNR in dB of images that show nothing; all that train end well above them."""

_EARLY_DECAY = 4.0
_DEGREES_OF_FREEDOM = 3


def constant(value: float) -> Function:
    return lambda u: np.full(len(u), value)


NEVER = constant(0.0)
_NOISE = constant(0.45)  # 8 % of the variance where `mean` has a standard deviation of 1.5 dB
_EARLY_PSNR = constant(18.0)
_SECONDS = constant(10.0)


@dataclass(frozen=True)
class Objective:
    """The distribution of the outcome of a run at each point.

    half: methods were chosen on the "tuned" objectives; "reported" ones were not looked at
    vary: the space, as `--vary` texts
    mean: PSNR in dB of a run that trains, over seeds; noise: its standard deviation over seeds
    collapse: probability that a run collapses
    silent: probability that a run that does not collapse completes and shows nothing
    early: PSNR in dB that a run would have at step 0; its curve moves from there to the final PSNR
    heavy_tails: noise is Student's t with 3 degrees of freedom, scaled to `noise`
    foreign: a sweep of another tool with correlated inputs, no seeds run twice and no curves
    seconds: geometric mean of the training time of a run; seconds_sd: of its logarithm
    """

    name: str
    half: Half
    vary: tuple[str, ...]
    mean: Function
    noise: Function = _NOISE
    collapse: Function = NEVER
    silent: Function = NEVER
    early: Function = _EARLY_PSNR
    heavy_tails: bool = False
    foreign: bool = False
    seconds: Function = _SECONDS
    seconds_sd: float = 0.0

    @functools.cached_property
    def space(self) -> Space:
        return parse_space(self.vary, {"optimisation.steps": STEPS})

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        return self.space.dimensions

    @functools.cached_property
    def axes(self) -> tuple[Axis, ...]:
        return tuple(make_axis(d) for d in self.dimensions)

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(d.path for d in self.dimensions)

    def snap(self, units: FloatArray) -> FloatArray:
        """(points, axes) each quantile moved to the centre of its level."""
        return np.column_stack([axis.snap(units[:, j]) for j, axis in enumerate(self.axes)])

    def breaks(self, units: FloatArray) -> FloatArray:
        """(points,) probability that a run collapses or shows nothing."""
        collapse = self.collapse(units)
        return collapse + (1.0 - collapse) * self.silent(units)

    def draw_noise(self, units: FloatArray, rng: np.random.Generator) -> FloatArray:
        """(points,) what the seed adds to `mean`, in dB."""
        if not self.heavy_tails:
            return np.asarray(self.noise(units) * rng.normal(size=len(units)))
        # A t variable with k degrees of freedom has the variance k / (k - 2).
        k = _DEGREES_OF_FREEDOM
        drawn = rng.standard_t(k, len(units)) / np.sqrt(k / (k - 2))
        return np.asarray(self.noise(units) * drawn)


def evaluation_steps() -> list[int]:
    """The steps at which runs are evaluated; the last is the full budget."""
    return [STEPS * (i + 1) // EVALUATIONS for i in range(EVALUATIONS)]


def early_weight(step: int) -> float:
    """Weight of `early` in the PSNR at `step`; the rest is the final PSNR's, 1 at the end."""
    return 0.0 if step >= STEPS else float(np.exp(-_EARLY_DECAY * step / STEPS))
