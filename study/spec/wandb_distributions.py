"""Distributions of a W&B sweep.yaml: their keys, and which one an entry has.

W&B's own list: https://docs.wandb.ai/guides/sweeps/sweep-config-keys. Those that no range or list
of values can express (normal, beta, ...) are refused, with what to write instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nerf.common.errors import InputError, closest

_RANGE = ("min", "max")
_KEYS: dict[str, tuple[str, ...]] = {
    "constant": ("value",),
    "categorical": ("values", "probabilities"),
    "categorical_w_probabilities": ("values", "probabilities"),
    "int_uniform": _RANGE,
    "uniform": _RANGE,
    "q_uniform": (*_RANGE, "q"),
    "log_uniform": _RANGE,
    "log_uniform_values": _RANGE,
    "q_log_uniform_values": (*_RANGE, "q"),
    "inv_log_uniform": _RANGE,
    "inv_log_uniform_values": _RANGE,
}
"""The keys of an entry, by its distribution."""

ANY_NUMBER = (
    "uniform",
    "log_uniform",
    "log_uniform_values",
    "inv_log_uniform",
    "inv_log_uniform_values",
)
"""Distributions of any numbers, not only whole ones."""

_INSTEAD = {
    "normal": "uniform",
    "q_normal": "q_uniform",
    "log_normal": "log_uniform_values",
    "q_log_normal": "q_log_uniform_values",
    "q_log_uniform": "q_log_uniform_values",
    "beta": "uniform",
    "q_beta": "q_uniform",
}
"""W&B's other distributions, and the nearest one that is supported."""


@dataclass(frozen=True)
class Place:
    """Where an entry is: its file, and the parameter's dotted path."""

    file: Path
    path: str

    def error(self, message: str, key: str = "") -> InputError:
        """The error to raise, which names file and key."""
        where = f"parameters.{self.path}.{key}" if key else f"parameters.{self.path}"
        return InputError(f"{self.file}: {where}: {message}")


def read_distribution(place: Place, content: Mapping[Any, Any]) -> str:
    """The entry's distribution: the given one, or the one that W&B infers from its keys.

    Raises `InputError` for one that cannot be drawn here, and for keys that do not belong to it.
    """
    given = content.get("distribution")
    distribution = _infer(place, content) if given is None else str(given)
    if distribution in _INSTEAD:
        message = f"{given} cannot be drawn here; use {_INSTEAD[distribution]} with min and max"
        raise place.error(message, "distribution")
    if distribution not in _KEYS:
        hint = closest(distribution, [*_KEYS, *_INSTEAD])
        raise place.error(f"unknown distribution {given!r}{hint}", "distribution")
    _check_keys(place, content, distribution)
    return distribution


def is_whole(value: Any) -> bool:
    """Whether YAML read a whole number, without a decimal point."""
    return isinstance(value, int) and not isinstance(value, bool)


def _infer(place: Place, content: Mapping[Any, Any]) -> str:
    ways = [key for key in ("value", "values", *_RANGE) if key in content]
    if ways == ["value"]:
        return "constant"
    if ways == ["values"]:
        return "categorical"
    if ways == [*_RANGE]:
        return "int_uniform" if all(is_whole(content[key]) for key in _RANGE) else "uniform"
    got = f"got {', '.join(ways)}" if ways else "got none of them"
    raise place.error(f"needs either value, or values, or min and max; {got}")


def _check_keys(place: Place, content: Mapping[Any, Any], distribution: str) -> None:
    keys = _KEYS[distribution]
    known = sorted({key for keys in _KEYS.values() for key in keys})
    for key in content:
        if key in (*keys, "distribution"):
            continue
        if key not in known:
            raise place.error(f"unknown key{closest(str(key), known)}", str(key))
        hint = "; use q_uniform, or remove q" if key == "q" else "; remove it"
        raise place.error(f"{distribution} takes no {key}{hint}", str(key))
    optional = "probabilities" if distribution == "categorical" else "q"
    for key in keys:
        if key not in content and key != optional:
            raise place.error(f"{distribution} needs {' and '.join(keys)}", key)
