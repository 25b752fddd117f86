"""What a command is about to run, and the lines that say so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nerf.common.commands import command_line
from study.cli.load_scenes import Scenes, list_scale_notes
from study.driver.time_limit import Clock
from study.records.resume_command import resume_command
from study.records.study_folder import StudyFolder
from study.spec.optimiser import describe_limits
from study.spec.stopping_rule import StoppingRule
from study.spec.study_rules import require
from study.spec.study_spec import StudySpec
from study.spec.tried_points import describe_outside
from study.spec.widened_ranges import describe_widened


@dataclass(frozen=True)
class Plan:
    """A study that is about to be started or resumed."""

    folder: StudyFolder
    spec: StudySpec
    scenes: Scenes
    """Of a trainer that needs no scene: none."""
    is_new: bool
    extended_document: dict[str, Any] | None = None
    """The new study.json of an extended study, to be written once its lock is held."""
    warning: str = ""
    taken_over: tuple[str, ...] = ()
    """What `--from` took of other studies, a line each."""

    @property
    def notes(self) -> list[str]:
        """What the person who starts the study should know of it, a line each."""
        spec = self.spec
        if not self.is_new and not self.extended_document:
            return self._several_metrics()
        limits = describe_limits(spec.sampler, spec.space.dimensions)
        spaces = [spec.of_scene(label).space for label in spec.labels]
        outside = dict.fromkeys(line for s in spaces for line in describe_outside(spec.tries, s))
        notes = [*([limits] if limits else []), *outside, *self.taken_over]
        if self.is_new:
            notes = [*describe_widened(spec.space), *list_scale_notes(spec), *notes]
        return [*notes, *self._several_metrics()]

    def _several_metrics(self) -> list[str]:
        spec = self.spec
        if spec.can_prune or not spec.optimize:
            return []
        names = " and ".join(objective.label for objective in spec.objectives)
        return [
            f"the optimise phase seeks the Pareto front of {names}; Optuna cannot prune trials of "
            "several metrics, so each gets its full budget"
        ]

    @property
    def summary(self) -> str:
        """What is about to run, in one line."""
        study = f"study {self.folder.name} in {self.folder.path}"
        if self.is_new and self.spec.is_exploring:
            return f"{study}: {_describe_exploring(self.spec)}"
        if self.is_new:
            return f"{study}: {self.spec.trials} trials of {self.spec.steps} steps{self._shared}"
        count = self.folder.count_records()
        ended = f"{count} of {self.spec.trials} trials have ended"
        if self.spec.is_exploring:
            ended = f"{count} trials have ended; {_describe_exploring(self.spec)}"
        return f"{study}: {'extended' if self.extended_document else 'resuming'}, {ended}"

    def require_time(self) -> None:
        """Raises `InputError` if trials are left and the hours of the study are used up."""
        spec, clock = self.spec, Clock.read(self.folder)
        if self.is_new or spec.is_finished(self.folder.count_records()):
            return
        for option, given, used in (
            ("--hours", spec.hours, clock.seconds),
            ("--budget", spec.budget, clock.gpu_seconds),
        ):
            require(
                not given or used < 3600 * given,
                f"the study has used the {given:g} hours of its {option}; resume it with more, "
                f"such as {option} {2 * given:g}",
            )

    @property
    def _shared(self) -> str:
        """How trials are divided among several scenes, if there are several."""
        count = len(self.spec.scenes)
        return f", {self.spec.trials // count} on each of {count} scenes" if count else ""

    @property
    def report_hint(self) -> str:
        """The command that reports on the trials that have ended, for a person to copy."""
        return f"report so far: {command_line('analysis/report.py', self.folder.path)}"

    @property
    def resume_hint(self) -> str:
        """The command that resumes the study, for a person to copy."""
        return f"resume with: {resume_command(self.folder.path)}"


def _describe_exploring(spec: StudySpec) -> str:
    """What a study explores until a rule is met, and what comes then."""
    rule = StoppingRule.parse(spec.until)
    return (
        f"explores {spec.explore} to {spec.max_explore} trials of {spec.steps} steps, until "
        f"{rule.describe()}; then {spec.optimize} optimise and {spec.replicates} replicate"
    )
