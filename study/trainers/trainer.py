"""What trains a study's trials, and how any process gets hold of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from nerf.config.flat import Flat
from nerf.config.parameters import Parameter
from study.trainers.run import Run

Train = Callable[[Any, Run], Mapping[str, float] | None]
"""Trains one trial: `train(config, run)` returns its final figures, if it has some."""


class LoadedTrainer(Protocol):
    """A trainer, ready to train in this process."""

    @property
    def train(self) -> Train: ...

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What a study may vary, in the order of declaration."""

    def build(self, values: Flat) -> Any:
        """The configuration that `train` takes; raises `InputError` for values it rejects."""


class Trainer(Protocol):
    """Names a trainer of the user, and can be sent to other machines: it pickles."""

    @property
    def name(self) -> str:
        """As the command line names it."""

    def load(self) -> LoadedTrainer:
        """Raises `InputError` where it cannot train."""

    def code_hash(self) -> str:
        """Changes with what it trains; empty where its code cannot be found."""

    def describe_changes(self, code_hash: str) -> str:
        """What has changed since it had this hash, such as `mine.py:train has changed`; or ""."""

    def local_packages(self) -> list[Path]:
        """The Python packages in the folder of the launch that it needs on other machines."""
