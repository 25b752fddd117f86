"""Why a launch ends before its study does."""

from __future__ import annotations

from enum import Enum


class StopReason(Enum):
    """Why a launch ends before the study does; its running trials are left to the next launch."""

    REQUESTED = "stop requested"
    DISK_FULL = "the disk is full"
    SAME_FAILURE = "trials fail in the same way"
    FOLDER_MISSING = "a node does not see the study folder"
    TRAINER_FAILED = "a mistake in the trainer"
    LOOK_FAILED = "a look at the explored trials failed"
    NO_ROOM = "no node has room for a trial"


class LaunchStop:
    """Whether this launch is to end: no trial starts any more, the next one resumes what runs."""

    def __init__(self) -> None:
        self.reason: StopReason | None = None
        """None while the launch goes on."""
        self._detail = ""

    def request(self, reason: StopReason, detail: str = "") -> None:
        """Ends the launch; the first reason stays, unless the disk is full: nothing is written."""
        if self.reason is None or reason is StopReason.DISK_FULL:
            self.reason, self._detail = reason, detail

    @property
    def error(self) -> str:
        """Why the launch is to end, where that is an error to be fixed; else empty."""
        if self.reason in (None, StopReason.REQUESTED):
            return ""
        return self._detail or self.reason.value
