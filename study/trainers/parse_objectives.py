"""Parses `--metric NAME`, `NAME:DIRECTION` and `NAME:DIRECTION:UNIT`, one or several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nerf.common.errors import InputError, closest
from nerf.config.image_metrics import IMAGE_METRICS
from study.trainers.objective import MEASURED_OBJECTIVES, NERF_OBJECTIVES, PSNR, Objective

_DIRECTIONS = ("max", "min")
_NO_LPIPS = (
    "--metric lpips compares images by a network that was trained on photographs (AlexNet or VGG), "
    "whose weights this program neither has nor downloads; pip install lpips, then add "
    "--plugin examples/lpips_plugin.py"
)


class NamedMetric(NamedTuple):
    """A metric as an option names it; empty: not given."""

    name: str
    direction: str
    unit: str


def parse_objectives(
    texts: Sequence[str], direction: str | None, unit: str | None, trainer_option: str
) -> tuple[Objective, ...]:
    """The metrics of a new study, in their order; PSNR of a NeRF where none is named.

    direction, unit: those of `--direction` and `--unit`, which are for a single metric
    trainer_option: the option that names the trainer; empty for the NeRF

    Raises `InputError` for one that is not known, has no direction, or is named twice.
    """
    is_nerf = not trainer_option
    if is_nerf and not texts:
        texts = [PSNR.metric]
    named = split_metrics(texts, direction, unit)
    if not named:
        raise InputError(
            f"{trainer_option} needs --metric NAME, one that it reports, and --direction max or min"
        )
    return tuple(_objective(metric, is_nerf) for metric in named)


def split_metrics(
    texts: Sequence[str], direction: str | None, unit: str | None
) -> list[NamedMetric]:
    """The metrics with what is given of each; raises `InputError`."""
    named = [_split(text) for text in texts]
    names = [metric.name for metric in named]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"--metric {name} is there twice; remove one")
    for option, given in (("--direction", direction), ("--unit", unit)):
        if given is not None and len(named) > 1:
            raise InputError(
                f"{option} {given} is for a single metric, and there are {len(named)}; write it "
                "behind its metric, as in --metric loss:min or --metric loss:min:nats"
            )
    if len(named) != 1:
        return named
    (metric,) = named
    if direction and metric.direction and direction != metric.direction:
        raise InputError(f"--direction {direction} contradicts --metric {texts[0]}; remove one")
    if unit and metric.unit and unit != metric.unit:
        raise InputError(f"--unit {unit} contradicts --metric {texts[0]}; remove one")
    return [NamedMetric(metric.name, direction or metric.direction, unit or metric.unit)]


def _split(text: str) -> NamedMetric:
    name, direction, unit, *more = [*text.split(":"), "", ""]
    if any(more) or (direction not in ("", *_DIRECTIONS)) or (not direction and ":" in text):
        raise InputError(
            f"--metric must be NAME, NAME:max, NAME:min, or NAME:min:UNIT with a unit; got {text!r}"
        )
    return NamedMetric(name, direction, unit)


def _objective(metric: NamedMetric, is_nerf: bool) -> Objective:
    known = {o.metric: o for o in (known_objectives() if is_nerf else MEASURED_OBJECTIVES)}
    if built_in := known.get(metric.name):
        return _check(metric, built_in)
    if is_nerf:
        raise InputError(_explain_unknown(metric.name, list(known)))
    if not metric.direction:
        raise InputError(
            f"--metric {metric.name} needs a direction: --direction max or min, or "
            f"--metric {metric.name}:min"
        )
    return Objective(metric.name, metric.unit, metric.direction == "min")


def known_objectives() -> tuple[Objective, ...]:
    """What a NeRF may be ranked by, the metrics of the loaded plugins included."""
    of_plugins = (Objective(m.name, m.unit, m.minimize) for m in IMAGE_METRICS.all)
    return (*NERF_OBJECTIVES, *of_plugins, *MEASURED_OBJECTIVES)


def _check(metric: NamedMetric, built_in: Objective) -> Objective:
    """The built-in metric; raises `InputError` where what is given contradicts it."""
    name = metric.name
    if metric.direction not in ("", built_in.direction):
        better = "less" if built_in.minimize else "more"
        raise InputError(
            f"--metric {name} with the direction {metric.direction}: of {name}, {better} is "
            f"better; write --metric {name}"
        )
    if metric.unit not in ("", built_in.unit):
        unit = built_in.unit or "no unit"
        raise InputError(f"--metric {name} is in {unit}, not in {metric.unit}; leave the unit out")
    return built_in


def _explain_unknown(name: str, known: list[str]) -> str:
    if name == "lpips":
        return _NO_LPIPS
    return (
        f"--metric {name}: a NeRF is ranked by {', '.join(known[:-1])} or {known[-1]}; any other "
        f"is for a plugin (--plugin) or a trainer of your own (--trainable){closest(name, known)}"
    )
