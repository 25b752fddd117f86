"""Attempts at one trial, as a worker passes them on to its trackers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nerf.config.flat import flatten
from nerf.config.parameters import DERIVED
from nerf.config.schema import NerfConfig
from study.protocol.messages import Outcome
from study.records.study_folder import StudyFolder
from study.spec.study_spec import StudySpec
from study.trackers.tracker import TrackedTrial
from study.trackers.trackers import Trackers

RENDER = np.full((24, 48, 3), 90, np.uint8)
COLLAPSED = Outcome("collapsed", "density is dead", 30, 13.0)
COMPLETED = Outcome("completed", "", 30, 13.0, metrics={"test_psnr": 12.5, "test_ssim": 0.5})


def point(step: int) -> dict[str, Any]:
    return {
        "step": step,
        "seconds": step / 10,
        "loss": 1 / step,
        "psnr": 10.0 + step / 10,
        "ssim": 0.5,
        "learning_rate": 0.01,
    }


@dataclass
class Attempts:
    """Runs attempts at trial 7 of a study, and holds what they notified of."""

    folder: StudyFolder
    spec: StudySpec
    notices: list[str] = field(default_factory=list)

    def run(
        self, before: Sequence[int], steps: Sequence[int], outcome: Outcome | None = None
    ) -> None:
        """One attempt: it resumes after the steps `before`; interrupted where no outcome is."""
        self.folder.write_spec({"schema": 1, "created": "today"})
        varied = tuple(dimension.path for dimension in self.spec.space.dimensions)
        trial = TrackedTrial(
            self.folder, "00007", "explore", flatten(NerfConfig()), varied, derived=tuple(DERIVED)
        )
        trackers = Trackers(self.spec, trial, self.notices.append)
        trackers.start([point(step) for step in before])
        for step in steps:
            trackers.log(point(step))
        if outcome:
            trackers.end(outcome, RENDER, no_video_of_nothing)
        trackers.close()


def no_video_of_nothing(path: Path) -> Path | None:
    return pytest.fail("a video of nothing")
