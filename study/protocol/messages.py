"""What the driver and its trials say to one another."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from nerf.config.parameters import Value

NAN = math.nan

TRIAL = "trial"
"""The key of a Ray config under which the trial's `Assignment` travels."""

MESSAGE = "message"
"""The key of a Ray result under which a trial's `Message` travels."""


@dataclass(frozen=True)
class Assignment:
    """One trial to be run: its number, where it stands in the study, and its values."""

    number: int
    phase: str
    baseline: bool
    """Is this the default configuration, run for comparison?"""
    seed: int
    values: dict[str, Value]
    started: datetime
    attempt: int = 1
    """Counts the trial's own failures; a driver's death begins no new one."""

    @property
    def may_stop(self) -> bool:
        """May successive halving end it? Never an explored one, whose kind must compare."""
        return self.phase == "optimize" and not self.baseline


@dataclass(frozen=True)
class Outcome:
    """How a trial ended; `state` is one of `study.folder.STATES`, PSNR is in dB."""

    state: str
    reason: str = ""
    steps_done: int = 0
    psnr: float = NAN
    ssim: float = NAN
    test_psnr: float = NAN
    test_ssim: float = NAN
    train_seconds: float = 0.0
    host: str = ""
    device: str = ""

    @staticmethod
    def of(row: Mapping[str, Any]) -> Outcome:
        """The outcome that a trial's row holds."""
        return Outcome(**{field.name: row[field.name] for field in fields(Outcome)})


@dataclass(frozen=True)
class Fault:
    """Why a trial broke off, in one line, and where in the code."""

    reason: str
    traceback: str = ""
    node_lost: bool = False
    """No fault of the trial's: it goes on elsewhere, however often."""
    disk_full: bool = False
    """No fault of the trial's: it goes on when there is room again."""


@dataclass(frozen=True)
class Message:
    """What a running trial says: its whole curve so far and, at its end, the outcome."""

    number: int
    host: str
    device: str
    curve: tuple[dict[str, Any], ...] = ()
    outcome: Outcome | None = None
    notice: str = ""
    """Something the person who runs the study should know."""
    fault: Fault | None = None
    """What stopped the trial before it could end."""
    node: str = ""
    """What Ray calls the machine."""

    def ended(self, state: str, reason: str) -> Outcome:
        """The outcome of a trial that was ended after this message, by its curve's figures."""
        if not self.curve:
            return Outcome(state, reason, host=self.host, device=self.device)
        last = self.curve[-1]
        return Outcome(
            state=state,
            reason=reason,
            steps_done=last["step"],
            psnr=last["psnr"],
            ssim=last["ssim"],
            train_seconds=last["seconds"],
            host=self.host,
            device=self.device,
        )
