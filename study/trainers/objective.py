"""The metrics that a study ranks its trials by."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nerf.common.errors import InputError
from nerf.config.image_metrics import TEST_PREFIX

_NAME = re.compile(r"[A-Za-z_]\w*")

_COLUMNS = {"seconds": "train_seconds", "memory": "peak_memory"}
"""Metrics that are measured of every trial, and their columns of trials.parquet."""

_LABELS = {"psnr": "PSNR", "ssim": "SSIM", "seconds": "training time", "memory": "peak memory"}


@dataclass(frozen=True)
class Objective:
    """A metric, its unit, and whether lower is better."""

    metric: str
    unit: str = ""
    minimize: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.metric):
            raise InputError(
                f"--metric must be a name that train() reports, such as loss; got {self.metric!r}"
            )

    @property
    def is_measured(self) -> bool:
        """Whether it is measured of every trial, so that no trainer need report it."""
        return self.metric in _COLUMNS

    @property
    def column(self) -> str:
        """Its column of trials.parquet; that of curves.parquet has its name."""
        return _COLUMNS.get(self.metric, self.metric)

    @property
    def label(self) -> str:
        """The metric as a person reads it."""
        return _LABELS.get(self.metric, self.metric)

    @property
    def title(self) -> str:
        """`PSNR (dB)`, or the name alone."""
        return f"{self.label} ({self.unit})" if self.unit else self.label

    @property
    def direction(self) -> str:
        """`max` or `min`."""
        return "min" if self.minimize else "max"

    @property
    def text(self) -> str:
        """As `--metric` names it: `loss:min`, or `loss:min:nats` with a unit; `seconds`."""
        if self in MEASURED_OBJECTIVES:
            return self.metric
        return ":".join(filter(None, (self.metric, self.direction, self.unit)))

    def score(self, value: float) -> float:
        """The value, or its negative where lower is better: of scores, higher is always better."""
        return -value if self.minimize else value

    def number(self, value: float) -> str:
        """The value for a person, without its unit: PSNR to 2 decimals, others to 4 digits."""
        if self == PSNR:
            return f"{value:.2f}"
        return f"{value:.4g}"

    def format(self, value: float) -> str:
        """The value with its unit: `23.41 dB`."""
        return f"{self.number(value)} {self.unit}".rstrip()

    def rounded(self, value: float) -> float:
        """The value as the journal stores it: PSNR to 4 decimals, others to 10 digits.

        optuna-dashboard shows all that are there. TPE and successive halving only compare trials,
        whose PSNRs differ by far more.
        """
        if self == PSNR or not math.isfinite(value):
            return round(value, 4)
        return float(f"{value:.10g}")

    def to_json(self) -> dict[str, Any]:
        """Its fields, the direction as a word."""
        return {"metric": self.metric, "unit": self.unit, "direction": self.direction}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Objective:
        """Reads what `to_json` gave."""
        return Objective(data["metric"], data["unit"], data["direction"] == "min")


PSNR = Objective("psnr", "dB")
"""Of the NeRF's validation views."""

NERF_OBJECTIVES = (PSNR, Objective("ssim"))
"""What the NeRF is evaluated by."""

NERF_METRICS = ("psnr", "ssim", "test_psnr", "test_ssim")
"""Columns of trials.parquet that hold the metrics of a NeRF; another trainer has its own."""

MEASURED_OBJECTIVES = (Objective("seconds", "s", True), Objective("memory", "MiB", True))
"""What every trial costs, of any trainer: seconds of training and peak memory."""


def plugin_columns(objectives: Sequence[Objective]) -> tuple[str, ...]:
    """Columns of a NeRF study's trials for the metrics of plugins, of test views as well."""
    built_in = {objective.metric for objective in (*NERF_OBJECTIVES, *MEASURED_OBJECTIVES)}
    own = [objective.metric for objective in objectives if objective.metric not in built_in]
    return (*own, *(f"{TEST_PREFIX}{name}" for name in own))


def read_objectives(spec: Mapping[str, Any]) -> tuple[Objective, ...]:
    """The metrics of a study by the `spec` of its study.json; PSNR where it names none."""
    recorded = spec.get("objectives") or [spec[key] for key in ("objective",) if key in spec]
    return tuple(map(Objective.from_json, recorded)) or (PSNR,)
