"""How long a study will take here, and how much disk: estimated from some short trials.

    seconds of trial i = a + b cost_i,   a, b >= 0 fitted to the measured trials

with the cost of a NeRF its rays x samples x weights, and of another trainer a constant. Trials are
then handed to slots in their order, as Ray Tune does.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nerf.common.errors import InputError
from nerf.scenes.scene import Scene
from study.driver.resources import fit_machine
from study.driver.time_limit import PHASE_COST
from study.search.explore_design import explore_values
from study.search.variant_design import variant_point
from study.spec.study_spec import StudySpec
from study.worker.probe import Configuration, Measured, measure_trials

_PROBES_PER_SLOT = 3
_MIN_PROBES, _MAX_PROBES = 4, 12
_MAX_AT_ONCE = 8
_SECONDS = 4.0
"""A trial is measured on growing budgets, until one takes longer than these seconds."""
_PATIENCE = 120.0

# Estimates, from the default study's time on two cores.
_RAY_SECONDS = 7.0
_HANDOVER_SECONDS = 0.15  # of a slot, from one trial to the next
_REPORT_SECONDS, _REPORT_SECONDS_PER_RUN = 6.0, 0.04
_JOURNAL_BYTES = 4000  # of a trial
_STUDY_BYTES = 3_000_000  # the report, tables and study.json


@dataclass(frozen=True)
class Forecast:
    """What a study is expected to take.

    seconds, disk: of the whole study, its report included; mean: seconds of an explored trial
    overhead: seconds before the first trial begins
    at_once: trials at the same time; measured: the short trials, `of` them begun
    checkpoints: bytes more while trials run; took: seconds that this took itself
    """

    seconds: float
    disk: int
    mean: float
    overhead: float
    at_once: int
    measured: tuple[Measured, ...]
    of: int
    checkpoints: int
    took: float

    @property
    def steps(self) -> int:
        """The fewest steps on which a trial was measured."""
        return min(one.steps for one in self.measured)


def forecast(spec: StudySpec, scene: Scene | None, planned: dict[str, int]) -> Forecast:
    """Measures short trials and predicts the study with the `planned` trials of each phase.

    Raises `InputError` where no trial could be measured.
    """
    began = time.monotonic()
    at_once = _slots(spec)
    configurations = list_configurations(spec, planned)
    costs = np.array([spec.space.relative_cost(values) for values in configurations])
    together = min(at_once, _MAX_AT_ONCE)
    count = int(np.clip(_PROBES_PER_SLOT * together, _MIN_PROBES, _MAX_PROBES))
    chosen = spread_over(costs, count)
    all_measured = measure_trials(
        spec, scene, [configurations[i] for i in chosen], together, _SECONDS, _PATIENCE
    )
    measured = [one for one in all_measured if not one.problem]
    if not measured:
        reasons = [one.problem for one in all_measured] or [f"no answer in {_PATIENCE:.0f} s"]
        raise InputError(f"no short trial could be measured, the first for this: {reasons[0]}")
    seconds = predict_seconds(
        costs, costs[[chosen[one.index] for one in measured]], [one.seconds for one in measured]
    )
    explored = seconds[: planned["variant"] + planned["explore"]]
    mean = float(np.mean(explored if len(explored) else seconds))
    durations = list(explored)
    durations += [PHASE_COST["optimize"] * mean] * planned["optimize"]
    durations += [mean] * planned["replicate"]
    start = max(one.start for one in measured)
    overhead = _RAY_SECONDS + start
    training = schedule([each + _HANDOVER_SECONDS for each in durations], at_once, start)
    runs = len(durations)
    disk = int(np.mean([one.disk for one in measured])) + _JOURNAL_BYTES
    return Forecast(
        seconds=_RAY_SECONDS + training + _REPORT_SECONDS + _REPORT_SECONDS_PER_RUN * runs,
        disk=_STUDY_BYTES + runs * disk,
        mean=mean,
        at_once=at_once,
        measured=tuple(measured),
        of=len(chosen),
        overhead=overhead,
        checkpoints=at_once * max(one.checkpoint for one in measured),
        took=time.monotonic() - began,
    )


def list_configurations(spec: StudySpec, planned: dict[str, int]) -> list[Configuration]:
    """Of the trials whose values are known: variants and explored points, else the default."""
    variants = [variant_point(spec, index) for index in range(planned["variant"])]
    explored = [explore_values(spec, index) for index in range(planned["explore"])]
    return [*variants, *explored] or [spec.space.defaults()]


def spread_over(costs: Sequence[float] | np.ndarray, count: int) -> list[int]:
    """Indices of configurations from cheap to costly, the costliest among them."""
    order = np.argsort(costs, kind="stable")
    if len(order) <= count:
        return [int(i) for i in order]
    places = (np.arange(count) + 0.5) / count * len(order)
    chosen = [int(order[int(place)]) for place in places[:-1]]
    return [*chosen, int(order[-1])]


def predict_seconds(
    costs: np.ndarray, measured_costs: np.ndarray, seconds: Sequence[float]
) -> np.ndarray:
    """Seconds at each cost, by a line that neither begins below 0 nor falls."""
    from scipy.optimize import nnls

    scale = float(measured_costs.max()) or 1.0
    design = np.column_stack([np.ones(len(seconds)), measured_costs / scale])
    (fixed, slope), _ = nnls(design, np.asarray(seconds))
    return np.asarray(fixed + slope * costs / scale)


def schedule(durations: Sequence[float], at_once: int, start: float = 0.0) -> float:
    """Seconds until all are done, each begun in its order as a slot is free; slots from `start`."""
    free = [start] * at_once
    for seconds in durations:
        heapq.heapreplace(free, free[0] + seconds)
    return max(free)


def _slots(spec: StudySpec) -> int:
    if spec.address and spec.max_concurrent:
        return spec.max_concurrent
    return max(fit_machine(spec).at_once, 1)
