"""Values of other parameters under which a parameter acts."""

from __future__ import annotations

from nerf.config.condition import parse_condition
from nerf.config.parameters import Value, list_parameters


def meet(path: str) -> dict[str, Value]:
    """Values under which a parameter acts."""
    values: dict[str, Value] = {}
    for term in parse_condition(list_parameters()[path].when):
        parent = list_parameters()[term.path]
        candidates = parent.choices or (1, 100)
        values[term.path] = next(value for value in candidates if term.holds(value))
        values = {**meet(term.path), **values}
    return values
