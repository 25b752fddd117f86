"""What trains a study's trials: this project's NeRF, or a function of the user.

A trainer is a function `train(config, run)`, whose `config` is a frozen dataclass. Its fields are
the parameters that a study may vary (`Domain`, `Literal`), and `run` is the trial (`Run`). The
NeRF's is `study.trainers.nerf_trainer.train`.

Imports `nerf` only.
"""

from nerf.config.condition import When
from nerf.config.domain import Domain
from study.trainers.run import Run

__all__ = ["Domain", "Run", "When"]
