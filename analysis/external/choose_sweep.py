"""Chooses one of the studies that a file holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from analysis.external.sweep import Sweep
from nerf.common.errors import InputError, closest

_MAX_LISTED = 60


def choose_sweep(path: Path, sweeps: Sequence[Sweep], name: str | None) -> Sweep:
    """The sweep of this name, or the only one; else raises `InputError` that lists them."""
    if not sweeps:
        raise InputError(f"{path} holds no study")
    by_name = {sweep.name: sweep for sweep in sweeps}
    if name is not None:
        if name not in by_name:
            raise InputError(
                f"{path} has no study {name!r}{closest(name, list(by_name))}; it has "
                f"{_list(sweeps)}"
            )
        return by_name[name]
    if len(sweeps) > 1:
        raise InputError(
            f"{path} holds {len(sweeps)} studies; choose one by --study-name: {_list(sweeps)}"
        )
    return sweeps[0]


def _list(sweeps: Sequence[Sweep]) -> str:
    listed = [f"{sweep.name} ({len(sweep.trials)} trials)" for sweep in sweeps[:_MAX_LISTED]]
    more = f" and {len(sweeps) - _MAX_LISTED} more" if len(sweeps) > _MAX_LISTED else ""
    return ", ".join(listed) + more
