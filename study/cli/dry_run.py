"""What a study will take, in words, from a forecast: time, disk, and what hours leave out."""

from __future__ import annotations

import numpy as np

from nerf.common.errors import InputError
from study.cli.plan import Plan
from study.driver.forecast import Forecast, forecast
from study.driver.time_limit import cut_in_proportion, seconds_for_report
from study.monitor.wording import format_duration
from study.records.schema import phase_name
from study.spec.study_spec import StudySpec


def predict(plan: Plan) -> Forecast:
    """Measures short trials and predicts what is left of the plan's study."""
    label = plan.spec.labels[0]
    scene = next(iter(plan.scenes.values()), None)
    return forecast(plan.spec.of_scene(label), scene, _list_left(plan))


def describe_forecast(plan: Plan, predicted: Forecast) -> list[str]:
    """The lines of a dry run, without what the study will be able to tell."""
    spec, left = plan.spec, _list_left(plan)
    lines = [f"{plan.summary} (a dry run: nothing is created)"]
    most = "at most " if spec.is_exploring else ""
    trials = _describe_phases(left)
    lines.append(f"trials: {most}{sum(left.values())} ({trials}), {predicted.at_once} at a time")
    lines.append(
        f"time: {most}about {format_duration(predicted.seconds)}, the report included; an "
        f"explored trial takes about {_seconds(predicted.mean)}"
    )
    lines += [f"  {line}" for line in _describe_measured(spec, predicted)]
    lines.append(
        f"disk: {most}about {_megabytes(predicted.disk)}, and {_megabytes(predicted.checkpoints)} "
        "for checkpoints while trials run"
    )
    lines.append("  estimated: a record and an image for each trial")
    lines.append("  not counted: what --track and --wandb write")
    if spec.hours or spec.budget:
        lines += describe_allowed(spec, predicted, left)
    return lines


def foresee_allowed(plan: Plan) -> list[str]:
    """What the hours of a new study are likely to allow, or why that cannot be predicted."""
    try:
        return describe_allowed(plan.spec, predict(plan))
    except InputError as error:
        return [f"how many trials the hours allow cannot be predicted: {error}"]


def describe_allowed(
    spec: StudySpec, predicted: Forecast, planned: dict[str, int] | None = None
) -> list[str]:
    """How many trials the hours of a study are likely to allow, and how many will be left out."""
    planned = spec.most_planned if planned is None else planned
    hours = spec.hours
    if spec.budget:
        gpus = predicted.at_once * spec.gpus_per_trial / max(spec.pack, 1)
        hours = min(hours or np.inf, spec.budget / gpus)
    seconds = 3600 * hours - predicted.overhead - seconds_for_report(3600 * hours)
    room = max(predicted.at_once * seconds / predicted.mean, 0.0)
    fitting = cut_in_proportion(planned, dict.fromkeys(planned, 0), room)
    name = format_duration(3600 * hours)
    if fitting == planned:
        return [f"{name}: enough for all {sum(planned.values())} trials, as far as can be told"]
    lost = {phase: count - fitting[phase] for phase, count in planned.items()}
    return [
        f"{name}: about {sum(fitting.values())} of {sum(planned.values())} trials "
        f"({_describe_phases(fitting)}); to be left out: {_describe_phases(lost)}"
    ]


def _list_left(plan: Plan) -> dict[str, int]:
    """The trials of each phase that have not ended."""
    left = dict(plan.spec.most_planned)
    for record in [] if plan.is_new else plan.folder.records():
        left[record["trial"]["phase"]] -= 1
    return {phase: max(count, 0) for phase, count in left.items()}


def _describe_phases(counts: dict[str, int]) -> str:
    texts = [f"{count} {phase_name(phase)}" for phase, count in counts.items() if count]
    return ", ".join(texts) or "none"


def _describe_measured(spec: StudySpec, predicted: Forecast) -> list[str]:
    """Where the time comes from: what was measured, what is estimated and what is assumed."""
    measured = predicted.measured
    seconds = [one.seconds for one in measured]
    short = sum(one.steps < spec.steps for one in measured)
    lines = [
        f"measured: {len(measured)} trial{'' if len(measured) == 1 else 's'} of this design in "
        f"{_seconds(predicted.took)}, {_seconds(min(seconds))} to {_seconds(max(seconds))} each"
    ]
    if short:
        lines.append(f"of these {short} for {predicted.steps} or more of {spec.steps} steps only")
    if collapsed := [one.collapse for one in measured if one.collapse]:
        lines.append(f"collapsed meanwhile: {len(collapsed)} of them, the first: {collapsed[0]}")
    if failed := predicted.of - len(measured):
        lines.append(f"not measured: {failed} more, which failed or took too long")
    lines.append("estimated: how many are pruned or collapse, Ray's start, the report")
    if spec.scenes:
        lines.append("assumed: other scenes take as long as the first")
    if spec.address:
        lines.append("assumed: the cluster is as fast as this machine")
    return lines


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 10 else format_duration(seconds)


def _megabytes(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{max(size / 1e6, 0.1):.1f} MB"
