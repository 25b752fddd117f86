"""What the driver and its trials send each other: assignments, outcomes, failures, messages."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from nerf.config.parameters import Value

NAN = math.nan

TRIAL = "trial"
"""The key of a Ray config that holds the trial's `Assignment`."""

MESSAGE = "message"
"""The key of a Ray result that holds a trial's `Message`."""


@dataclass(frozen=True)
class Assignment:
    """One trial to run: its number, its phase and its values."""

    number: int
    phase: str
    """One of `study.records.schema.PHASES`."""
    is_default_config: bool
    """The default configuration, run for comparison."""
    seed: int
    values: dict[str, Value]
    """Those of the parameters that the study varies, by path."""
    started: datetime
    attempt: int = 1
    """1, and one more after each failure of the trial; a driver's death does not count."""

    @property
    def may_be_pruned(self) -> bool:
        """Whether successive halving may end the trial early.

        Only what the optimiser proposed: trials of every other phase are compared with one another
        at the same budget.
        """
        return self.phase == "optimize" and not self.is_default_config


@dataclass(frozen=True)
class Outcome:
    """How a trial ended; `state` is one of `study.records.schema.STATES`, PSNR is in dB."""

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
        """The outcome in a trial's row."""
        return Outcome(**{field.name: row[field.name] for field in fields(Outcome)})


@dataclass(frozen=True)
class Failure:
    """Why one attempt at a trial failed, in one line, and the traceback if there is one."""

    reason: str
    traceback: str = ""
    disk_full: bool = False
    """Not the trial's failure: it resumes once there is space."""
    node_lost: bool = False
    """Not the trial's failure: it resumes on another node, without limit."""
    device_failed: bool = False
    """Its process cannot use the GPU any more, or never could."""
    out_of_memory: bool = False
    """For want of memory, so that a smaller trial may succeed."""
    folder_missing: bool = False
    """Not the trial's failure: its node does not see the study folder."""
    place: str = ""
    """The host, or its GPU, where the attempt failed; empty where that is not known."""
    batch: str = ""
    """Identifies the process that trained a whole batch, where that failed, not the trial alone."""


@dataclass(frozen=True)
class Message:
    """A running trial's report: its whole curve so far and, at its end, the outcome."""

    number: int
    host: str
    device: str
    curve: tuple[dict[str, Any], ...] = ()
    """Every evaluation so far, as the driver may have died before it received the earlier ones."""
    outcome: Outcome | None = None
    notice: str = ""
    """Something that the person who runs the study should know."""
    failure: Failure | None = None
    """What ended the attempt, instead of an outcome."""
    node: str = ""
    """Ray's id of the machine."""
    gpu: str = ""
    """Indices of the machine's GPUs that the trial may use, as in CUDA_VISIBLE_DEVICES."""

    @property
    def place(self) -> str:
        """The host, or its GPU, where the trial runs."""
        return describe_place(self.host, self.gpu)

    def ended(self, state: str, reason: str) -> Outcome:
        """The outcome of a trial that ends after this message, with its curve's last figures."""
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


def describe_place(host: str, gpu: str) -> str:
    """A host, or some of its GPUs, for a person."""
    return f"{host}, GPU {gpu}" if gpu else host
