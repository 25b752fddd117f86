"""Which parameters of a space act: those of a branch only where its condition holds.

A dimension's condition names varied parameters alone. What a study fixes is decided once, as its
space is made: a condition on fixed values either always holds and is dropped, or is refused.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from nerf.common.errors import InputError
from nerf.config.condition import Term, format_condition, holds, parse_condition
from nerf.config.flat import Flat
from nerf.config.parameters import Value
from study.spec.dimension import Dimension
from study.trainers.parameter_set import ParameterSet


def attach_conditions(
    dimensions: Sequence[Dimension], values: Flat, parameters: ParameterSet
) -> tuple[Dimension, ...]:
    """The dimensions with the conditions that their parameters declare, where others vary.

    values: of the parameters that do not vary

    Raises `InputError` for a parameter that would act in no trial.
    """
    varied = {dimension.path for dimension in dimensions}
    return tuple(
        dataclasses.replace(
            d, when=format_condition(tuple(_left(d.path, varied, values, parameters)))
        )
        for d in dimensions
    )


def _left(path: str, varied: set[str], values: Flat, parameters: ParameterSet) -> Iterator[Term]:
    """The terms on varied parameters under which `path` acts, its own first."""
    for term in _all_terms(path, parameters):
        if term.path in varied:
            yield term
        elif not term.holds(values[term.path]):
            raise InputError(
                f"{path} acts only where {term}, and {term.path} is {values[term.path]} in this "
                f"study; set or vary {term.path} as well, or leave {path} out"
            )


def _all_terms(path: str, parameters: ParameterSet) -> tuple[Term, ...]:
    """The terms under which a parameter acts: its own, and those of the parameters they are on."""
    own = parse_condition(parameters.by_path[path].when)
    outer = [term for each in own for term in _all_terms(each.path, parameters)]
    return tuple(dict.fromkeys((*own, *outer)))


def acting(dimensions: Sequence[Dimension], values: Mapping[str, Value]) -> dict[str, Value]:
    """Those of the values whose parameters act, beside the others."""
    conditions = {dimension.path: dimension.when for dimension in dimensions}
    return {p: v for p, v in values.items() if holds(conditions.get(p, ""), values)}


def require_acting(path: str, values: Mapping[str, Value], parameters: ParameterSet) -> None:
    """Raises `InputError` if a parameter has no effect beside `values` of all others."""
    for term in _all_terms(path, parameters):
        if not term.holds(values[term.path]):
            raise InputError(
                f"{path} acts only where {term}, and {term.path} is {values[term.path]} here; "
                f"leave {path} out, or set {term.path} as well"
            )


def parents_first(dimensions: Sequence[Dimension]) -> list[Dimension]:
    """The dimensions, each after those that decide whether it acts; else in their order."""
    paths = [dimension.path for dimension in dimensions]

    def depth(dimension: Dimension) -> int:
        terms = parse_condition(dimension.when)
        return 1 + max((depth(dimensions[paths.index(t.path)]) for t in terms), default=0)

    return sorted(dimensions, key=depth)
