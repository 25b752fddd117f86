"""A trainer that takes no time and has a parameter of one branch alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from study.trainers import Domain, Run


@dataclass(frozen=True)
class Config:
    optimiser: Literal["adam", "sgd"] = "adam"
    lr: Annotated[float, Domain(1e-3, 1.0, log=True)] = 0.1
    momentum: Annotated[float, Domain(0.0, 1.0, when="optimiser == 'sgd'")] = 0.9


def train(config: Config, run: Run) -> Mapping[str, float]:
    """Momentum helps SGD; Adam does as well as SGD at a momentum of one half."""
    drag = 0.5 if config.optimiser == "adam" else 1.0 - config.momentum
    loss = drag + abs(config.lr - 0.1)
    for step in range(1, run.steps + 1):
        run.report(step, loss=loss + 1.0 / step)
    return {"momentum_seen": config.momentum}
