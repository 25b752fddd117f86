"""What the driver and its trials say to one another."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nerf.parameters import Value

NAN = math.nan


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


@dataclass(frozen=True)
class Message:
    """What a running trial says: its whole curve so far and, at its end, the outcome."""

    number: int
    host: str
    device: str
    curve: tuple[dict[str, Any], ...] = ()
    outcome: Outcome | None = None

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
