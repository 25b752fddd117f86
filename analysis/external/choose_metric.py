"""Chooses the metric of another tool's sweep, its direction and its unit."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Literal

from analysis.data.assumption import Assumption
from analysis.data.metric import Metric
from analysis.external.question import Question
from analysis.external.sweep import Objective, Sweep
from nerf.common.errors import InputError, closest

_LOWER_IS_BETTER = {
    "loss", "error", "err", "mse", "mae", "rmse", "nll", "bpc", "bpd", "perplexity", "ppl", "wer",
    "cer", "fid", "lpips", "regret", "cost", "time", "seconds", "duration", "latency", "runtime",
}  # fmt: skip
_HIGHER_IS_BETTER = {
    "acc", "accuracy", "psnr", "ssim", "f1", "auc", "auroc", "roc", "map", "iou", "miou", "score",
    "reward", "return", "r2", "precision", "recall", "bleu", "rouge", "dice", "top1", "top5",
}  # fmt: skip
_UNITS = {"psnr": "dB"}
_MAX_LISTED = 12
_BY_NAME = "by its name"


def choose_metric(sweep: Sweep, question: Question) -> tuple[Metric, list[Assumption]]:
    """The metric to rank by, and what was assumed about it.

    Raises `InputError` if the sweep has several and none was requested, or not the requested one.
    """
    objective, assumed = _choose_objective(sweep, question)
    direction = question.direction or objective.direction
    if direction is None:
        direction, reason = _guess_direction(objective.name, sweep.tool)
        word = "lower" if direction == "minimize" else "higher"
        other = "maximize" if direction == "minimize" else "minimize"
        assumed.append(
            Assumption(f"{word} {objective.name} is better ({reason})", f"--direction {other}")
        )
    unit = question.unit or next((_UNITS[w] for w in _words(objective.name) if w in _UNITS), "")
    if question.unit == "%" and _are_fractions(sweep, objective.name):
        text = f"%, the unit given, stands for {objective.name} as it is: its values look like "
        assumed.append(Assumption(text + "fractions of 1, of which 0.5 would be 50 %", "--unit"))
    return Metric(objective.name, unit, direction == "minimize"), assumed


def is_open_direction(assumption: Assumption) -> bool:
    """Whether an assumption is one on the direction that the metric's name does not speak for."""
    return assumption.is_on_direction and f"({_BY_NAME})" not in assumption.text


def _are_fractions(sweep: Sweep, name: str) -> bool:
    values = [trial.metrics[name] for trial in sweep.trials if name in trial.metrics]
    finite = [abs(value) for value in values if math.isfinite(value)]
    return bool(finite) and max(finite) <= 1


def _choose_objective(sweep: Sweep, question: Question) -> tuple[Objective, list[Assumption]]:
    recorded = {objective.name: objective for objective in sweep.objectives}
    measured = count_measured(sweep)
    if question.metric is not None:
        known = [*recorded, *measured, *(column.name for column in sweep.columns)]
        if question.metric not in known:
            hint = closest(question.metric, known, f"it has {_list(dict.fromkeys(known))}")
            raise InputError(f"{sweep.name} has no metric {question.metric!r}{hint}")
        return recorded.get(question.metric, Objective(question.metric)), []
    if len(recorded) == 1:
        return sweep.objectives[0], []
    if recorded:
        raise InputError(
            f"{sweep.name} has {len(recorded)} objectives; choose one by --metric: "
            f"{_list(map(_with_direction, sweep.objectives))}"
        )
    if not measured:
        raise InputError(
            f"{sweep.name} records no metric of any trial; name its column by "
            f"--metric{': ' if sweep.columns else ''}{_list(c.name for c in sweep.columns)}"
        )
    measured = _drop_constants(sweep, measured)
    doubtful_settings = {c.name for c in sweep.columns if c.doubtful and c.role == "setting"}
    sure = [name for name in measured if name not in doubtful_settings]
    if len(sure) == 1:
        text = f"{sure[0]} is the metric, the only one recorded"
        option = "--metric NAME" if len(measured) > 1 else ""
        return Objective(sure[0]), [Assumption(text, option)]
    if len(measured) == 1:
        (name,) = measured
        text = f"{name} is the metric, the only column that could be one"
        return Objective(name), [Assumption(text, "--metric NAME")]
    raise InputError(
        f"{sweep.name} does not say which metric counts; choose one by --metric: {_list(measured)}"
    )


def _drop_constants(sweep: Sweep, measured: dict[str, int]) -> dict[str, int]:
    """The metrics that differ between trials; all of them if none does."""
    seen: dict[str, set[float]] = {name: set() for name in measured}
    for trial in sweep.trials:
        for name, value in trial.metrics.items():
            if math.isfinite(value):
                seen[name].add(value)
    varying = {name: number for name, number in measured.items() if len(seen[name]) > 1}
    return varying or measured


def _with_direction(objective: Objective) -> str:
    return f"{objective.name} ({objective.direction})" if objective.direction else objective.name


def count_measured(sweep: Sweep) -> dict[str, int]:
    """Metric -> in how many trials it has a finite value; those of most trials first."""
    counts: dict[str, int] = {}
    for trial in sweep.trials:
        for name, value in trial.metrics.items():
            counts[name] = counts.get(name, 0) + math.isfinite(value)
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return {name: count for name, count in ordered if count}


def _guess_direction(name: str, tool: str) -> tuple[Literal["maximize", "minimize"], str]:
    """A direction, and why."""
    words = _words(name)
    if any(word in _HIGHER_IS_BETTER for word in words):
        return "maximize", _BY_NAME
    if any(word in _LOWER_IS_BETTER for word in words):
        return "minimize", _BY_NAME
    if tool == "Optuna":
        return "minimize", "the export does not say, and Optuna minimizes by default"
    return "maximize", "the record does not say"


def _words(name: str) -> list[str]:
    """The words of a metric's name, the last one first: `val/lossBest` is best, loss, val."""
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    return [word.lower() for word in re.split(r"[^A-Za-z0-9]+", spaced) if word][::-1]


def _list(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - _MAX_LISTED} more" if len(names) > _MAX_LISTED else ""
    return ", ".join(names[:_MAX_LISTED]) + more
