"""The `parameters` of a W&B sweep.yaml: groups become dotted paths, and names are checked."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

from nerf.common.errors import InputError, suggest
from nerf.config.parameters import Parameter
from study.spec.parse_space import format_value
from study.spec.wandb_distributions import Place
from study.spec.wandb_entry import SweepEntry, SweepParameters
from study.trainers.parameter_set import ParameterSet


def read_parameters(
    file: Path, table: Any, grid: bool, parameters: ParameterSet
) -> SweepParameters:
    """Reads the `parameters` of a sweep; raises `InputError` with file and key."""
    result = SweepParameters()
    for path, content in _flatten(file, "parameters", table).items():
        declared = _declared(file, path, parameters)
        SweepEntry(Place(file, path), declared, content, grid, parameters, result).read()
    if not result.vary:
        raise InputError(f"{file}: parameters: none varies; give one values, or min and max")
    return result


def _flatten(file: Path, key: str, table: Any, prefix: str = "") -> dict[str, dict[str, Any]]:
    """Every entry by its dotted path; W&B nests groups under `parameters`."""
    if not isinstance(table, dict) or not table:
        content = "nothing" if table is None else repr(table)
        raise InputError(
            f"{file}: {key} must be a table like field.width: {{values: [32, 64]}}, got {content}"
        )
    entries: dict[str, dict[str, Any]] = {}
    for name, entry in table.items():
        path, where = f"{prefix}{name}", f"{key}.{name}"
        if not isinstance(entry, dict):
            raise InputError(
                f"{file}: {where} must be a table like {{value: 4}}, got {format_value(entry)}"
            )
        if "parameters" in entry and len(entry) > 1:
            raise InputError(f"{file}: {where} contains parameters; remove its other keys")
        group = "parameters" in entry
        found = _flatten(file, where, entry["parameters"], f"{path}.") if group else {path: entry}
        for twice in found.keys() & entries.keys():
            raise InputError(f"{file}: {key}: {twice} is there twice; remove one")
        entries |= found
    return entries


def _declared(file: Path, path: str, parameters: ParameterSet) -> Parameter:
    """The parameter of this name; raises `InputError` with the nearest name for another."""
    by_path = parameters.by_path
    if path in by_path:
        return by_path[path]
    # Names also without their section: `width` for `field.width`.
    names = {known: known for known in by_path}
    names |= {known.rpartition(".")[2]: known for known in by_path}
    near = [
        names[match]
        for name in (path, path.rpartition(".")[2])
        for match in difflib.get_close_matches(name, list(names), n=1, cutoff=0.75)
    ]
    more = f"this trainer has {', '.join(by_path)}"
    if parameters.is_nerf:
        more = "--help lists those of a NeRF; name another trainer by --trainable"
    hint = suggest(near, "" if near else more)
    raise InputError(f"{file}: parameters.{path}: unknown parameter{hint}")
