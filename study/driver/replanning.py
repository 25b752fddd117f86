"""Changes how many trials a study has while it runs: by looks at what it explored, by its hours.

Each change is one atomic write of study.json, which from then on plans these trials. So a study
resumes with the looks that were taken and the phases that were cut, whenever its driver dies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from study.driver.looks import Look
from study.driver.time_limit import TimeLimit
from study.ledger.ledger import Ledger
from study.records.schema import phase_name
from study.records.study_folder import StudyFolder
from study.spec.stopping_rule import list_looks
from study.spec.study_spec import StudySpec

TakeLook = Callable[[], Look | None]

_FIELDS = {"explore": "explore", "optimize": "optimize", "replicate": "replicates"}
"""The phases that can be cut, and the field of a spec that counts their trials."""


class Replanning:
    """Decides how many trials each phase has, as far as that is not fixed."""

    def __init__(
        self,
        folder: StudyFolder,
        ledger: Ledger,
        take_look: TakeLook | None = None,
        limit: TimeLimit | None = None,
    ) -> None:
        """take_look: for a study that explores until a rule is met; limit: for one with hours."""
        self._folder = folder
        self._ledger = ledger
        self._take_look = take_look
        self.limit = limit

    def look_is_due(self) -> bool:
        """Whether all trials have ended that the study explores before its next look."""
        spec = self._ledger.spec
        explored = [t for t in self._ledger.trials() if t.user_attrs["phase"] == "explore"]
        ended = sum(trial.state.is_finished() for trial in explored)
        return bool(self._take_look) and spec.is_exploring and ended >= spec.explore

    def look(self) -> str:
        """Looks, and plans what comes next; a notice, or empty where the launch stops first.

        Raises `InputError` where the look fails.
        """
        assert self._take_look
        self._folder.write_tables()
        look, spec = self._take_look(), self._ledger.spec
        if look is None:
            return ""
        is_last = look.is_settled or spec.explore >= spec.max_explore
        if is_last:
            longer = replace(spec, is_exploring=False)
        else:
            longer = replace(spec, explore=_next_look(spec))
        looks = [*self._folder.read_spec().get("looks", []), asdict(look)]
        self._plan(longer, looks=looks)
        if look.is_settled:
            return f"settled after {spec.explore} explored trials: {look.text}"
        if is_last:
            return f"not settled by {spec.explore} explored trials: {look.text}"
        return (
            f"not settled by {spec.explore} explored trials: {look.text}; the next look is at "
            f"{longer.explore}"
        )

    def keep_to_time(self) -> str:
        """Ends the phases that have no more time; a notice, or empty where nothing changes."""
        if self.limit is None:
            return ""
        spec, before = self._ledger.spec, self._ledger.spec.most_planned
        created = {phase: self._ledger.created(phase) for phase in before}
        fitting = self.limit.fit_phases(before, created)
        is_over = fitting == created
        scenes = len(spec.labels)
        cut: dict[str, Any] = {}
        for phase, field in _FIELDS.items():
            if created[phase] < before[phase] and created[phase] >= fitting[phase]:
                cut[field] = created[phase] // scenes
            elif created[phase] < before[phase] and not is_over:
                break  # later phases are cut once their turn comes
        if not cut or (is_over and not any(created.values())):
            return ""
        if "explore" in cut:
            cut["is_exploring"] = False
        earlier = self._folder.read_spec().get("cut", {})
        wanted = earlier.get("from") or {p: count // scenes for p, count in before.items()}
        self._plan(
            replace(spec, **cut),
            cut={"from": wanted, "hours": spec.hours, "budget": spec.budget},
        )
        lost = [
            f"{before[phase] - created[phase]} of {before[phase]} {phase_name(phase)}"
            for phase, field in _FIELDS.items()
            if field in cut
        ]
        return f"to finish in time, left out: {', '.join(lost)} trials"

    def _plan(self, spec: StudySpec, **entries: Any) -> None:
        document = {**self._folder.read_spec(), "spec": spec.to_json(), **entries}
        self._folder.write_spec(document)
        self._ledger.spec = spec


def _next_look(spec: StudySpec) -> int:
    return next(size for size in list_looks(spec.max_explore) if size > spec.explore)
