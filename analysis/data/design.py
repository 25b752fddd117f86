"""How another tool's trials were chosen, and which have parameters of their own.

Studies of this program need neither: their explored trials are drawn from the prior.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nerf.config.parameters import Value
from study.spec.dimension import Dimension

DesignKind = Literal[
    "grid", "uneven grid", "space-filling", "optimiser", "pruned", "correlated", "few"
]
"""What trials look like:

grid            combinations of a few levels of each parameter
uneven grid     the same, but some were not run, or more often than others
space-filling   drawn from the prior, each parameter on its own, whatever the results so far
optimiser       later ones were drawn where results were good
pruned          grid, uneven grid or space-filling, but early results decided which completed
correlated      neither, but parameters drift as trials go on, depend on one another or are not
                spread as the prior says
few             too few trials to tell
"""

_UNEVEN: dict[DesignKind, str] = {
    "uneven grid": "the trials are a grid with gaps or repeats",
    "optimiser": "results decided where trials lie",
    "pruned": "results decided which trials completed",
    "correlated": "the trials were not drawn from the prior",
    "few": "it is not known whether the trials were drawn from the prior",
}


@dataclass(frozen=True)
class Design:
    """What another tool's trials look like; claims say no more than it allows.

    trials: how many it was identified from
    evidence: what shows it, without a full stop, such as "lr drifts with the trial number, p =
    0.001"
    """

    kind: DesignKind
    trials: int
    evidence: str = ""

    @property
    def is_even(self) -> bool:
        """Whether the trials may stand for the prior as they are."""
        return not self.limitation

    @property
    def limitation(self) -> str:
        """Why they may not, a clause; empty if they may."""
        return _UNEVEN.get(self.kind, "")

    @property
    def space(self) -> str:
        """What shares are computed over; levels are equally likely."""
        return "the grid's levels" if self.kind in ("grid", "uneven grid") else "the prior"


@dataclass(frozen=True)
class Branch:
    """Trials that have parameters of their own, such as a momentum where the optimizer is sgd.

    parent: path of the parameter that decides which trials these are; empty if none does
    values: its values in these trials
    dimensions: their own parameters; these columns of the trials table are empty elsewhere
    """

    parent: str
    values: tuple[Value | None, ...]
    dimensions: tuple[Dimension, ...]
