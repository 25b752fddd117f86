"""Conditions under which a parameter acts: `encoding.kind == 'hash'`.

Terms joined by `and`, each of one parameter: compared with a value by ==, !=, <, <=, > or >=, with
several by `in` or `not in`, or alone (`encoding.directions`, `not sampling.jitter`), as in Python.
"""

from __future__ import annotations

import ast
import functools
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nerf.common.errors import InputError


@dataclass(frozen=True)
class When:
    """Annotates a parameter that acts only under a condition; a range has `Domain(when=...)`."""

    condition: str


@dataclass(frozen=True)
class Term:
    """A comparison of one parameter."""

    path: str
    sign: str
    """An operator of Python."""
    value: Any

    def holds(self, value: Any) -> bool:
        """Whether it does for this value of the parameter."""
        return bool(_COMPARE[self.sign](value, self.value))

    @property
    def named_values(self) -> tuple[Any, ...]:
        """The values that it names."""
        return self.value if isinstance(self.value, tuple) else (self.value,)

    def __str__(self) -> str:
        if isinstance(self.value, bool) and self.sign == "==":
            return self.path if self.value else f"not {self.path}"
        return f"{self.path} {self.sign} {self.value!r}"


_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda value, values: value in values,
    "not in": lambda value, values: value not in values,
}

_SIGNS: Mapping[type, str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
}


@functools.cache
def parse_condition(text: str) -> tuple[Term, ...]:
    """The terms of a condition, none for an empty one; raises `InputError`."""
    if not text:
        return ()
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        is_joined = isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And)
        return tuple(map(_term, tree.values if is_joined else [tree]))  # type: ignore[attr-defined]
    except (SyntaxError, ValueError):
        raise InputError(
            f"a condition must be like \"encoding.kind == 'hash'\", several joined by `and`; got "
            f"{text!r}"
        ) from None


def format_condition(terms: tuple[Term, ...]) -> str:
    """The text that `parse_condition` reads."""
    return " and ".join(map(str, terms))


def holds(condition: str, values: Mapping[str, Any]) -> bool:
    """Whether a condition holds; not where a parameter that it is about has no value."""
    terms = parse_condition(condition)
    return all(term.path in values and term.holds(values[term.path]) for term in terms)


def _term(node: ast.expr) -> Term:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return Term(_path(node.operand), "==", False)
    if not isinstance(node, ast.Compare):
        return Term(_path(node), "==", True)
    ((sign,), (compared,)) = node.ops, node.comparators
    value = ast.literal_eval(compared)
    several = isinstance(sign, ast.In | ast.NotIn)
    if several != isinstance(value, list | tuple | set):
        raise ValueError
    return Term(_path(node.left), _SIGNS[type(sign)], tuple(value) if several else value)


def _path(node: ast.expr) -> str:
    """The dotted path that an expression spells."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_path(node.value)}.{node.attr}"
    raise ValueError
