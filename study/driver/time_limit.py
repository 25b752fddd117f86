"""Keeps a study to its `--hours` or `--budget`: how much is left, and which trials fit into that.

The time of all launches is in `clock.json` of the study folder, written as trials end, so that a
launch that is killed loses at most what its running trials had taken.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from nerf.common.files import write_atomically
from study.records.study_folder import StudyFolder
from study.spec.study_spec import StudySpec

PHASE_COST = {"optimize": 0.6}
"""Part of the full budget that a trial of a phase trains on average, where that is not all of it:
successive halving stops some early."""

_REPORT_SECONDS = 15.0
_MAX_REPORT_SHARE = 0.15  # of the hours: a few seconds leave no time for a report
_KEPT = 200
_LONG = 0.95  # quantile of past trials' times that must be left for another one to start


@dataclass
class Clock:
    """Seconds and GPU seconds that launches took, and how long recent full trials took."""

    seconds: float = 0.0
    gpu_seconds: float = 0.0
    trials: tuple[float, ...] = ()

    @staticmethod
    def read(folder: StudyFolder) -> Clock:
        """As the last launch left it; at 0 for a new study."""
        try:
            data = json.loads(folder.clock.read_text())
            return Clock(data["seconds"], data["gpu_seconds"], tuple(data["trials"]))
        except (OSError, ValueError, KeyError, TypeError):
            return Clock()

    def write(self, folder: StudyFolder) -> None:
        content = {
            "seconds": round(self.seconds, 2),
            "gpu_seconds": round(self.gpu_seconds, 2),
            "trials": [round(seconds, 2) for seconds in self.trials],
        }
        write_atomically(folder.clock, json.dumps(content).encode())


class TimeLimit:
    """The hours of a study while a launch uses them up."""

    def __init__(
        self, folder: StudyFolder, spec: StudySpec, at_once: Callable[[], int], began: float
    ) -> None:
        """at_once: trials that run at the same time; began: when the launch did, `time.time()`."""
        self._folder = folder
        self._spec = spec
        self._at_once = at_once
        self._clock = Clock.read(folder)
        self._last = began
        self._starts: dict[int, float] = {}

    @property
    def seconds_left(self) -> float:
        """Until trials must have ended, so that a report follows in time."""
        spec, left = self._spec, math.inf
        if spec.hours:
            left = 3600 * spec.hours - self._clock.seconds
        if spec.budget:
            gpus = self._at_once() * spec.gpus_per_trial / max(spec.pack, 1)
            left = min(left, (3600 * spec.budget - self._clock.gpu_seconds) / gpus)
        return left - seconds_for_report(left + self._clock.seconds)

    def tick(self) -> None:
        """Counts the time since the last call."""
        now = time.time()
        passed = max(now - self._last, 0.0)  # the machine's clock may be set back
        share = self._spec.gpus_per_trial / max(self._spec.pack, 1)
        self._clock.seconds += passed
        self._clock.gpu_seconds += passed * share * len(self._starts)
        self._last = now

    def on_start(self, number: int) -> None:
        """Notes that a trial starts."""
        self.tick()
        self._starts[number] = time.monotonic()

    def on_end(self, number: int, is_full: bool) -> None:
        """Notes that a trial ended or is left, and how long it took if it trained in full."""
        self.tick()
        began = self._starts.pop(number, None)
        if is_full and began is not None:
            seconds = time.monotonic() - began
            self._clock.trials = (*self._clock.trials, seconds)[-_KEPT:]
        self._clock.write(self._folder)

    def fit_phases(self, planned: Mapping[str, int], created: Mapping[str, int]) -> dict[str, int]:
        """How many trials of each phase there can be, `created` ones included.

        Of several scenes as many on each: a point that was begun on one is run on all.
        """
        self.tick()
        left, scenes = self.seconds_left, len(self._spec.labels)
        if not self._clock.trials:
            return whole_points(planned if left > 0 else created, created, scenes)
        rounds = math.ceil(scenes / max(self._at_once(), 1))  # that a point takes
        if left < rounds * float(np.quantile(self._clock.trials, _LONG)):
            return whole_points(created, created, scenes)
        mean = float(np.mean(self._clock.trials))
        # Those that run are half done on average.
        room = self._at_once() * left / mean - 0.5 * len(self._starts)
        return whole_points(cut_in_proportion(planned, created, room), created, scenes)


def whole_points(
    counts: Mapping[str, int], created: Mapping[str, int], scenes: int
) -> dict[str, int]:
    """The counts without points for which not all scenes have room, but with those begun."""
    return {
        phase: max(count // scenes, math.ceil(created[phase] / scenes)) * scenes
        for phase, count in counts.items()
    }


def seconds_for_report(total: float) -> float:
    """What is kept of so many seconds for the report."""
    return min(_REPORT_SECONDS, _MAX_REPORT_SHARE * total)


def cut_in_proportion(
    planned: Mapping[str, int], created: Mapping[str, int], room: float
) -> dict[str, int]:
    """The trials of each phase if there is room for so many full trials beside the created ones."""

    def cost(counts: Mapping[str, int]) -> float:
        return sum(PHASE_COST.get(phase, 1.0) * count for phase, count in counts.items())

    part = (cost(created) + room) / max(cost(planned), 1e-9)
    if part >= 1:
        return dict(planned)
    return {p: max(created[p], min(count, int(part * count))) for p, count in planned.items()}
