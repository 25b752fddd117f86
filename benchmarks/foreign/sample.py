"""Parameters and a metric of simulated trials, with the shares of the variance in closed form.

The metric is `centre + scale * (sum_j sqrt(share_j) g_j + sqrt(noise) e)`, with g_j of mean 0 and
variance 1 over the prior of parameter j, and e a standard normal number: share_j is the share of
parameter j.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from foreign.case import Truth

Value = str | bool | int | float | None


@dataclass(frozen=True)
class Parameter:
    """A parameter and its effect.

    low, high: the range of numbers; log: uniform in the logarithm; whole: integers only
    choices: in place of a range, each as likely
    effects: of each choice; by default they rise in equal steps, as the metric does with a number
    """

    name: str
    share: float
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    whole: bool = False
    choices: tuple[Value, ...] = ()
    effects: tuple[float, ...] = ()

    def levels(self) -> tuple[Sequence[Any], np.ndarray]:
        """All values of a discrete parameter, and how likely each is."""
        if self.choices:
            return self.choices, np.full(len(self.choices), 1 / len(self.choices))
        values = np.arange(self.low, self.high + 1)
        edges = np.arange(self.low, self.high + 2) - 0.5
        # A log-uniform integer is a log-uniform number between the outer edges, rounded.
        widths = np.diff(np.log(edges) if self.log else edges)
        return [int(value) for value in values], widths / widths.sum()

    def draw(self, units: np.ndarray) -> tuple[list[Any], np.ndarray]:
        """Values at quantiles of the prior, and the standardised effect of each."""
        if not self.choices and not self.whole:
            ends = np.log([self.low, self.high]) if self.log else np.array([self.low, self.high])
            values = ends[0] + units * (ends[1] - ends[0])
            # A uniform number has a variance of 1/12.
            return (np.exp(values) if self.log else values).tolist(), 12**0.5 * (units - 0.5)
        values, weights = self.levels()
        places = np.searchsorted(np.cumsum(weights)[:-1], units, side="right")
        heights = np.arange(len(values), dtype=float)
        if self.effects:
            heights = np.array(self.effects, dtype=float)
        elif self.whole:
            heights = np.log(values) if self.log else np.array(values, dtype=float)
        heights = heights - weights @ heights
        heights = heights / (weights @ heights**2) ** 0.5
        return [values[place] for place in places], heights[places]


LR = Parameter("lr", 0.6, 1e-5, 1e-1, log=True)
WIDTH = Parameter("width", 0.25, choices=(32, 64, 128, 256))
DROPOUT = Parameter("dropout", 0.13, 0.05, 0.6)
PARAMETERS = (LR, WIDTH, DROPOUT)
"""Those of most cases; the remaining 2 % of the variance are noise."""


@dataclass(frozen=True)
class Sample:
    """Simulated trials.

    columns: parameter -> value in each trial
    metric: (trials,) values
    shares: parameter -> share of the variance
    """

    columns: Mapping[str, list[Any]]
    metric: np.ndarray
    shares: Mapping[str, float]

    def __len__(self) -> int:
        return len(self.metric)

    def rows(self) -> list[dict[str, Any]]:
        """The parameters of each trial."""
        return [dict(zip(self.columns, values, strict=True)) for values in self._by_trial()]

    def _by_trial(self) -> list[tuple[Any, ...]]:
        return list(zip(*self.columns.values(), strict=True))

    def truth(self, minimize: bool = False, **more: Any) -> Truth:
        """The truth if all trials completed; `more` adds to it or changes it."""
        best = self.metric.min() if minimize else self.metric.max()
        known = {"best": float(best), "completed": len(self), "shares": dict(self.shares)}
        return Truth(**{**known, **more})


def draw_sample(
    seed: int,
    trials: int = 96,
    parameters: Sequence[Parameter] = PARAMETERS,
    centre: float = 0.7,
    scale: float = 0.05,
    units: np.ndarray | None = None,
) -> Sample:
    """Independent draws from the priors, or the trials at the given quantiles (trials, axes).

    A negative `scale` makes a loss of the metric: its values fall where the effects rise.
    """
    rng = np.random.default_rng(seed)
    if units is None:
        units = rng.random((trials, len(parameters)))
    noise = 1.0 - sum(parameter.share for parameter in parameters)
    columns, total = {}, noise**0.5 * rng.normal(size=len(units))
    for parameter, quantiles in zip(parameters, units.T, strict=True):
        columns[parameter.name], effect = parameter.draw(quantiles)
        total = total + parameter.share**0.5 * effect
    shares = {p.name: p.share for p in parameters if p.share}
    return Sample(columns, centre + scale * total, shares)
