"""The list of parameters that `--help` prints."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping

from nerf.common.command_line import help_width
from nerf.config.parameters import Parameter, Value, list_parameters

INDENT = " " * 6


def describe_parameters(
    varied: Mapping[str, str] | None = None,
    defaults: Mapping[str, Value] | None = None,
    ranges: Mapping[str, str] | None = None,
    parameters: Mapping[str, Parameter] | None = None,
) -> str:
    """Lists every parameter with its default, allowed values and description.

    varied: the values that a parameter takes where it is varied by default, which gets a star; they
        are listed if they are not all it may have
    defaults: those that differ from the parameters' own
    ranges: what takes the place of a parameter's own domain
    parameters: those to list; by default all of a NeRF
    """
    listed = list_parameters() if parameters is None else parameters
    return "\n".join(
        _entry(
            p,
            (varied or {}).get(p.path, ""),
            (defaults or {}).get(p.path, p.default),
            (ranges or {}).get(p.path, "") or _values(p),
        )
        for p in listed.values()
    )


def _values(parameter: Parameter) -> str:
    return join_choices(parameter.choices) or str(parameter.domain or "fixed in a study")


def join_choices(choices: Iterable[Value]) -> str:
    """Choices as the list shows them, such as `relu | softplus`."""
    return " | ".join(map(_text, choices))


def _entry(parameter: Parameter, varied: str, default: Value, values: str) -> str:
    head = f"{'*' if varied else ' '} {parameter.path} = {_text(default)}   [{values}]"
    is_narrower = varied and varied != values
    text = f"Varied by default: {varied}. {parameter.doc}" if is_narrower else parameter.doc
    if parameter.when:
        text = f"{text} Acts where {parameter.when}.".lstrip()
    width = help_width()
    lines = textwrap.wrap(head, width, subsequent_indent=INDENT, drop_whitespace=False)
    lines += textwrap.wrap(text, width, initial_indent=INDENT, subsequent_indent=INDENT)
    return "\n".join(line.rstrip() for line in lines)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
