"""Reports of a user's Ray trainable as reports of a study's trials."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from typing import Any

from ray.tune.result import AUTO_RESULT_KEYS

from nerf.common.errors import InputError
from study.driver.trial_manager import TrialManager
from study.protocol.messages import Message
from study.records.schema import TRIAL_COLUMNS
from study.trainers.objective import NERF_METRICS

_OF_RAY = {*AUTO_RESULT_KEYS, "done", "trial_id", "experiment_tag", "should_checkpoint"}


class TuneReports:
    """Passes what trials report to the trial manager, with the whole curve of each so far."""

    def __init__(self, manager: TrialManager, step: str) -> None:
        """`step` is the key of a report that counts steps."""
        self._manager = manager
        self._step = step
        self._last: dict[int, Message] = {}

    def begin(self, number: int) -> None:
        """A trial starts, with an empty curve."""
        self._last[number] = Message(number, host="", device="")

    def add(self, number: int, result: Mapping[str, Any]) -> bool:
        """Records a report, unless its step is known; returns whether the trial is to continue."""
        if number not in self._manager.running:
            return False
        spec, before = self._manager.ledger.spec, self._last[number].curve
        point = self._point(result)
        if before and point["step"] <= before[-1]["step"]:
            return True
        host = str(result.get("hostname", ""))
        message = Message(number, host, device="", curve=(*before, point))
        self._last[number] = message
        value, metric = point[spec.objective.metric], spec.objective.metric
        outcome = None
        if not math.isfinite(value):
            reason = f"diverged: {metric} is {value} at step {point['step']}"
            outcome = message.ended("collapsed", reason, metric)
        elif point["step"] >= spec.steps:
            outcome = message.ended("completed", "", metric)
        ended = Message(number, host, device="", curve=message.curve, outcome=outcome)
        return self._manager.on_report(ended) and outcome is None

    def end_early(self, number: int) -> None:
        """A trial ended without an error before its full budget, as by another scheduler."""
        last, spec = self._last[number], self._manager.ledger.spec
        done = last.curve[-1]["step"] if last.curve else 0
        reason = f"ended by Ray Tune or by itself at step {done} of {spec.steps}"
        state = "pruned" if done else "failed"
        outcome = last.ended(state, reason, spec.objective.metric)
        self._manager.on_report(
            Message(number, last.host, last.device, curve=last.curve, outcome=outcome)
        )

    def _point(self, result: Mapping[str, Any]) -> dict[str, Any]:
        """A point of the learning curve; raises `InputError` for an invalid report."""
        spec = self._manager.ledger.spec
        for name in (self._step, spec.objective.metric):
            if not _is_number(result.get(name)):
                raise InputError(
                    f"a report has no number {name!r}: tune.report() gave "
                    f"{', '.join(sorted(self._metrics(result))) or 'nothing'}; report it each time"
                )
        metrics = self._metrics(result)
        taken = (TRIAL_COLUMNS.keys() | spec.space.parameters.by_path.keys()) & metrics.keys()
        if taken := taken - {*NERF_METRICS}:
            raise InputError(
                f"tune.report(): {', '.join(sorted(taken))} is the name of a parameter or column; "
                "give the metric another one"
            )
        seconds = float(result.get("time_total_s", 0.0))
        return {"step": int(result[self._step]), "seconds": seconds, **metrics}

    def _metrics(self, result: Mapping[str, Any]) -> dict[str, float]:
        """The numbers that the trainable itself reported."""
        own = {
            name: value
            for name, value in result.items()
            if name not in _OF_RAY and not name.startswith(("config/", "__")) and name != self._step
        }
        return {n.replace("/", "_"): float(v) for n, v in own.items() if _is_number(v)}


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)
