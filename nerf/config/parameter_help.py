"""The list of parameters that `--help` prints."""

from __future__ import annotations

import textwrap
from collections.abc import Collection

from nerf.config.parameters import Parameter, list_parameters

INDENT = " " * 6


def describe_parameters(marked: Collection[str] = ()) -> str:
    """Lists every parameter with its default, allowed values and description.

    A star marks the paths in `marked`.
    """
    return "\n".join(
        _entry(p, "*" if p.path in marked else " ") for p in list_parameters().values()
    )


def _entry(parameter: Parameter, mark: str) -> str:
    values = " | ".join(map(_text, parameter.choices)) or str(
        parameter.domain or "fixed in a study"
    )
    head = f"{mark} {parameter.path} = {_text(parameter.default)}   [{values}]"
    body = textwrap.wrap(parameter.doc, 92, initial_indent=INDENT, subsequent_indent=INDENT)
    return "\n".join([head, *body])


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
