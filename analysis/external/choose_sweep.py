"""Chooses one of the studies that a file holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from analysis.external.counts import count
from analysis.external.sweep import Sweep
from nerf.common.errors import InputError, closest

_MAX_IN_A_LINE = 8


class SeveralStudies(InputError):
    """Several studies of which none was chosen.

    listing: name and trials of each, a line each; empty where the message itself names them
    """

    def __init__(self, message: str, listing: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.listing = tuple(listing)

    def _render_traceback_(self) -> list[str]:
        return [*self.listing, *super()._render_traceback_()]


def choose_sweep(path: Path, sweeps: Sequence[Sweep], name: str | None) -> Sweep:
    """The sweep of this name, or the only one; else raises `SeveralStudies`, which lists them."""
    if not sweeps:
        raise InputError(f"{path} holds no study")
    by_name = {sweep.name: sweep for sweep in sweeps}
    if name is not None:
        if name not in by_name:
            hint = closest(name, list(by_name), "it has")
            raise _ask(f"{path} has no study {name!r}{hint}", sweeps)
        return by_name[name]
    if len(sweeps) > 1:
        raise _ask(f"{path} holds {len(sweeps)} studies; choose by --study-name:", sweeps)
    return sweeps[0]


def _ask(message: str, sweeps: Sequence[Sweep]) -> SeveralStudies:
    if len(sweeps) <= _MAX_IN_A_LINE:
        listed = ", ".join(f"{s.name} ({count(len(s.trials), 'trial')})" for s in sweeps)
        return SeveralStudies(f"{message} {listed}")
    width = max(len(str(len(sweep.trials))) for sweep in sweeps)
    lines = [f"{len(sweep.trials):{width}d} trials  {sweep.name}" for sweep in sweeps]
    return SeveralStudies(f"{message} one of those listed above", lines)
