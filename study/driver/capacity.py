"""How many trials fit on a cluster whose nodes come and go, and requests for the nodes that lack.

Each request is a Ray placement group of one trial's resources, for a trial that waits beyond those
that fit. Ray's autoscaler starts nodes for pending placement groups, and drops them with this
process, however it ends. A trial itself is created only when it can run, as TPE proposes it from
what has ended until then.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import ray
from ray.util.placement_group import (
    PlacementGroup,
    placement_group,
    placement_group_table,
    remove_placement_group,
)

from study.driver.gpu_check import GpuChecks
from study.driver.resources import gpu_slots, trial_resources
from study.monitor.wording import format_duration
from study.spec.study_spec import StudySpec

_MAX_REQUESTS = 64
"""Trials that nodes are requested for at the same time."""

_UPDATE_SECONDS = 1.0
_START_SECONDS = 30.0
"""Seconds that a trial's process may take to start before it is called waiting."""


class ClusterCapacity:
    """The cluster that this process has joined, as seen by its last `update`."""

    def __init__(self, spec: StudySpec, gpu_checks: GpuChecks) -> None:
        self._spec = spec
        self._gpu_checks = gpu_checks
        self._requests: list[PlacementGroup] = []
        self._totals = {"CPU": 0.0, "GPU": 0.0}
        self._room = -1
        self._due = 0.0
        self._idle_since = time.monotonic()
        self._is_idle = True

    @property
    def at_once(self) -> int:
        """Trials that may be handed to Ray at the same time: those that fit, at least one."""
        fit = min(self._room, self._spec.max_concurrent or self._room)
        return max(fit, 1)  # Tune blocks for a minute where it has none

    @property
    def has_room(self) -> bool:
        """Whether any node is large enough for a trial."""
        return self._room > 0

    @property
    def waiting_for(self) -> str:
        """What all trials wait for; empty while one runs."""
        if not self._is_idle:
            return ""
        missing = f"waiting for {self.trial_resources}"
        if self.has_room:  # others may use it all; at first, trials' processes take a moment
            is_long = time.monotonic() > self._idle_since + _START_SECONDS
            has = f"the cluster has {self._describe_totals()} in all"
            return f"waiting for a process with {self.trial_resources}: {has}" if is_long else ""
        if self._lacks():
            return f"{missing}: the cluster has {self._describe_totals()}"
        return f"{missing} on one node: the cluster has {self._describe_totals()} on all together"

    @property
    def trial_resources(self) -> str:
        """The resources of one trial, or of trials that are packed, in words."""
        return _in_words(self._spec.cpus_per_trial, self._spec.gpus_per_trial or None)

    @property
    def gives_up(self) -> str:
        """Why to stop waiting; empty until trials have waited for `wait_for_nodes` seconds."""
        if not self._is_idle or time.monotonic() < self._idle_since + self._spec.wait_for_nodes:
            return ""
        return (
            f"no trial could run for {format_duration(self._spec.wait_for_nodes)}: a trial needs "
            f"{self.trial_resources} on one node, the cluster has {self._describe_totals()}"
        )

    def update(self, unfinished: Callable[[], int], running: int) -> list[str]:
        """Looks at the cluster, unless that was a moment ago; returns news for a person.

        `unfinished` trials are left, and `running` of them train.
        """
        now = time.monotonic()
        if now < self._due:
            return []
        self._due = now + _UPDATE_SECONDS
        nodes = alive_nodes()
        self._totals = {name: sum(_has(node, name) for node in nodes) for name in ("CPU", "GPU")}
        news = self._set_room(sum(trials_on(node, self._spec) for node in nodes))
        self._is_idle = running == 0
        if running:
            self._idle_since = now
        wanted = min(unfinished(), self._spec.max_concurrent or unfinished())
        lacking = min(max(wanted - self._room, 0), _MAX_REQUESTS)
        self._request(lacking, is_full=running >= self._room)
        if self._spec.gpus_per_trial:
            self._gpu_checks.start(nodes)
            news += [check.line for check in self._gpu_checks.finished()]
        return news

    def close(self) -> None:
        """Withdraws all requests."""
        self._request(0, is_full=False)

    def _set_room(self, room: int) -> list[str]:
        before, self._room = self._room, room
        if room == before:
            return []
        if before <= 0 < room:  # trials' processes may take a while to start
            self._idle_since = time.monotonic()
        trials = f"{room} trial{'' if room == 1 else 's'} at a time"
        return [f"the cluster has {self._describe_totals()}: room for {trials}"]

    def _request(self, count: int, is_full: bool) -> None:
        """Keeps `count` requests pending; one that got its resources leaves them to a trial.

        None is added until trials use all that fits (`is_full`): Ray tries a waiting trial once a
        second and a new request at once, so that the requests would get every free resource.
        """
        for group in [group for group in self._requests if _is_placed(group)]:
            self._requests.remove(group)
            remove_placement_group(group)
        while len(self._requests) > count:
            remove_placement_group(self._requests.pop())
        while is_full and len(self._requests) < count:
            self._requests.append(placement_group([trial_resources(self._spec)]))

    def _lacks(self) -> bool:
        """Whether all nodes together have not enough for a trial."""
        return (
            self._totals["CPU"] < self._spec.cpus_per_trial
            or self._totals["GPU"] < self._spec.gpus_per_trial
        )

    def _describe_totals(self) -> str:
        gpus = self._totals["GPU"] if self._spec.gpus_per_trial else None
        return _in_words(self._totals["CPU"], gpus)


def alive_nodes() -> list[dict[str, Any]]:
    """Ray's nodes that are part of the cluster now."""
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return [node for node in nodes if node["Alive"]]


def trials_on(node: dict[str, Any], spec: StudySpec) -> int:
    """Trials that fit on a node of Ray at the same time, if nothing else runs there."""
    slots = int(_has(node, "CPU")) // spec.cpus_per_trial
    if spec.gpus_per_trial:
        slots = min(slots, gpu_slots(int(_has(node, "GPU")), spec.gpus_per_trial))
    return slots * max(spec.pack, 1)


def _has(node: dict[str, Any], resource: str) -> float:
    return float(node["Resources"].get(resource, 0.0))


def _is_placed(group: PlacementGroup) -> bool:
    return bool(placement_group_table(group)["state"] == "CREATED")


def _in_words(cpus: float, gpus: float | None) -> str:
    """So many CPUs and GPUs, without these where they are None."""
    words = f"{cpus:g} CPU{'' if cpus == 1 else 's'}"
    return words if gpus is None else f"{words} and {gpus:g} GPU{'' if gpus == 1 else 's'}"
