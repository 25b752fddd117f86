"""A trainer that takes no time, and fails in the way that its configuration says."""

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import numpy as np

from study.trainers import Domain, Run

EVERY = 5


@dataclass(frozen=True)
class Model:
    width: Annotated[int, Domain(4, 64, log=True, unit="units")] = 16


@dataclass(frozen=True)
class Config:
    lr: Annotated[float, Domain(1e-3, 1.0, log=True)] = 0.1
    model: Model = field(default_factory=Model)
    fault: Literal["none", "kill", "hang", "nan", "fail", "raise"] = "none"
    notes: str = ""
    """A folder in which each step is noted."""

    def __post_init__(self) -> None:
        if self.notes == "strict" and self.lr > 0.9 and self.model.width > 60:
            raise ValueError("lr above 0.9 needs a width of at most 60")


def train(config: Config, run: Run) -> Mapping[str, float]:
    step, weights = 0, np.zeros(3)
    if run.restored:
        step, weights = run.restored["step"], run.restored["weights"]
    while step < run.steps and not run.should_stop:
        step += 1
        weights = weights + config.lr
        _note(config, step)
        if step == EVERY + 2:
            _strike(config, run)
        if step % EVERY == 0:
            loss = abs(np.log10(config.lr) + 1.5) + 1 / config.model.width + 1 / step
            run.report(
                step, loss=float("nan") if config.fault == "nan" else loss, accuracy=1 - loss
            )
            run.image("weights", np.tile(weights / weights.max(), (4, 1)))
            run.checkpoint({"step": step, "weights": weights})
    return {"test_loss": float(weights.sum())}


def _note(config: Config, step: int) -> None:
    if config.notes:
        with (Path(config.notes) / config.fault).open("a") as file:
            file.write(f"{step}\n")


def _strike(config: Config, run: Run) -> None:
    if config.fault == "kill" and not run.restored:
        os.kill(os.getpid(), signal.SIGKILL)
    if config.fault == "hang":
        time.sleep(1e6)
    if config.fault == "fail":
        run.fail("no gradient;\n lower lr")
    if config.fault == "raise":
        raise KeyError("a fault")
