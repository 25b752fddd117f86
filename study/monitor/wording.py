"""A study's progress in words: lines of text, and values and durations in short."""

from __future__ import annotations

import math

from nerf.config.parameters import Value
from study.monitor.progress import EndedTrial, StudyProgress
from study.records.outcomes import OUTCOMES, format_count
from study.records.schema import phase_name
from study.trainers.objective import PSNR, Objective


def progress_line(progress: StudyProgress, seconds_left: float | None) -> str:
    """A study's progress in one line."""
    parts = [f"{len(progress.ended)}/{sum(progress.planned.values())} trials"]
    counts = {outcome: progress.count(outcome=outcome) for outcome in OUTCOMES}
    parts += [format_count(count, outcome) for outcome, count in counts.items() if count]
    parts += [f"{len(progress.running)} {progress.running_word}"] if progress.running else []
    for best in progress.bests:
        quality = progress.objective.format(best.value or math.nan)
        parts.append(f"best {quality}{_describe_scene(best)} (trial {best.number})")
    parts += [f"about {format_duration(seconds_left)} left"] if seconds_left is not None else []
    return ", ".join(parts)


def trial_line(trial: EndedTrial, objective: Objective = PSNR) -> str:
    """How one trial ended, in one line."""
    quality = "" if trial.value is None else f" with {objective.format(trial.value)}"
    reason = f": {trial.reason}" if trial.reason else ""
    where = f"{phase_name(trial.phase)}{_describe_scene(trial)}"
    return f"trial {trial.number} ({where}) {trial.outcome}{quality}{reason}"


def _describe_scene(trial: EndedTrial) -> str:
    return f" on {trial.scene}" if trial.scene else ""


def format_short(value: Value) -> str:
    """A parameter's value with three digits, for a table."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def format_duration(seconds: float) -> str:
    """A duration in words: 40 s, 12 min, 3 h 05 min."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"
