"""What a person wants to know of another tool's sweep: the options of `report.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from study.spec.space import Dimension


@dataclass(frozen=True)
class Question:
    """Options that decide what a record leaves open; None or empty where none was given.

    study: name of one of several studies in the file
    metric, direction, unit: what the trials are ranked by
    parameters: the only settings to analyse; ignored: settings to leave out
    priors: domains that the record lacks, or to replace recorded ones
    """

    study: str | None = None
    metric: str | None = None
    direction: Literal["maximize", "minimize"] | None = None
    unit: str = ""
    parameters: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    priors: tuple[Dimension, ...] = ()
