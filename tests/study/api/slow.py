"""A trainer that takes 20 ms a step, and resumes after the step of its checkpoint."""

import time
from dataclasses import dataclass
from typing import Annotated

from study.trainers import Domain, Run


@dataclass(frozen=True)
class Config:
    lr: Annotated[float, Domain(0.01, 1.0, log=True)] = 0.1
    width: Annotated[int, Domain(2, 64)] = 8


def train(config: Config, run: Run) -> None:
    step = run.restored["step"] if run.restored else 0
    while step < run.steps and not run.should_stop:
        step += 1
        time.sleep(0.02)
        if step % 5 == 0:
            run.report(step, loss=config.lr + 1 / config.width + 1 / step)
        run.checkpoint({"step": step})
