"""How each parameter acts: the PSNR of every trial against the values it was given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.load import Study
from nerf.parameters import DERIVED, Value, parameter
from study.space import Dimension


@dataclass(frozen=True)
class Effect:
    """One parameter and the trials measured over it.

    choices: the values in the order of their axis, where the parameter is a choice
    points: trial_id, value, psnr, state, phase; trials without a finite PSNR are not among them
    """

    path: str
    label: str
    unit: str
    log: bool
    choices: tuple[Value, ...]
    points: pd.DataFrame

    @property
    def axis_title(self) -> str:
        return f"{self.label} ({self.unit})" if self.unit and not self.choices else self.label


def effects(study: Study) -> tuple[Effect, ...]:
    """The effect of each varied parameter, and of each field that one of them sets in its place."""
    return tuple(_effect(d, study.trials) for d in shown(study.space.dimensions))


def shown(dimensions: tuple[Dimension, ...]) -> tuple[Dimension, ...]:
    """The dimensions, each derived one (far - near) preceded by the field that it sets (far)."""
    found: list[Dimension] = []
    for dimension in dimensions:
        if dimension.path in DERIVED:
            target = parameter(DERIVED[dimension.path].sets)
            found.append(Dimension(target.path, target.kind, label=target.label, unit=target.unit))
        found.append(dimension)
    return tuple(found)


def _effect(dimension: Dimension, trials: pd.DataFrame) -> Effect:
    measured = trials[np.isfinite(trials["psnr"])]
    points = measured[["trial_id", "psnr", "state", "phase"]].assign(value=measured[dimension.path])
    return Effect(
        dimension.path, dimension.label, dimension.unit, dimension.log, dimension.choices, points
    )
