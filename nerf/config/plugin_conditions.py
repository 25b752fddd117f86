"""Under which choices the parameters of plugins act, and those that pieces of plugins make use of.

The options of a piece act where that piece is chosen. A piece that takes a section of this program
makes the section's parameters act, too, whose conditions name this program's own choices.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from nerf.config.choices import REGISTRIES
from nerf.config.condition import Term, format_condition, parse_condition
from nerf.config.sections import BUILT_IN, added_sections

if TYPE_CHECKING:
    from nerf.config.parameters import Parameter


def with_plugin_conditions(parameters: dict[str, Parameter]) -> dict[str, Parameter]:
    """The parameters with the conditions that follow from the plugins that are loaded."""
    added = added_sections()
    return {
        path: dataclasses.replace(p, when=_own(p, added[section]))
        if (section := path.partition(".")[0]) in added
        else dataclasses.replace(p, when=_widen(p, BUILT_IN.get(section)))
        for path, p in parameters.items()
    }


def _own(parameter: Parameter, section: type) -> str:
    """The condition of a plugin's parameter: its own, and that a piece that takes it is chosen."""
    users = [(r.path, piece.name) for r in REGISTRIES for piece in r.pieces_with(section)]
    paths = {path for path, _ in users}
    if len(paths) != 1:  # of pieces of two kinds, either of which may be chosen
        return parameter.when
    names = tuple(name for _, name in users)
    (path,) = paths
    chosen = Term(path, "==", names[0]) if len(names) == 1 else Term(path, "in", names)
    return format_condition((chosen, *parse_condition(parameter.when)))


def _widen(parameter: Parameter, section: type | None) -> str:
    """The condition of this program's parameter, which choices of plugins may fulfil as well."""
    by_path = {r.path: r for r in REGISTRIES}
    terms = []
    for term in parse_condition(parameter.when):
        taking = by_path[term.path].pieces_with(section) if term.path in by_path else []
        own = tuple(piece.name for piece in taking if piece.plugin)
        is_list = own and term.sign in ("==", "in")
        terms.append(Term(term.path, "in", (*term.named_values, *own)) if is_list else term)
    return format_condition(tuple(terms))
