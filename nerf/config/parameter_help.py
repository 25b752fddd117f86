"""The list of parameters that `--help` prints."""

from __future__ import annotations

import textwrap
from collections.abc import Collection

from nerf.config.parameters import Parameter, parameters

INDENT = " " * 6


def describe_parameters(marked: Collection[str] = ()) -> str:
    """Every parameter with its default, the values it may take and what it means.

    Those `marked` carry a star.
    """
    return "\n".join(_entry(p, "*" if p.path in marked else " ") for p in parameters().values())


def _entry(parameter: Parameter, mark: str) -> str:
    p = parameter
    values = " | ".join(map(_text, p.choices)) or str(p.domain or "a study cannot vary it")
    head = f"{mark} {p.path} = {_text(p.default)}   [{values}]"
    doc = " ".join(p.doc.split())
    return "\n".join(
        [head, *textwrap.wrap(doc, 92, initial_indent=INDENT, subsequent_indent=INDENT)]
    )


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
