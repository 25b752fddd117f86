"""Result objects of the Sobol' analysis: parts of the variance, each with its interval."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import pandas as pd

NEGLIGIBLE_SHARE = 0.01
"""Part of the variance below which a parameter counts as without effect."""


@dataclass(frozen=True)
class SobolShare:
    """One parameter's parts of the variance of results, in [0, 1].

    alone: of its own effect, averaged over the others (first-order Sobol' index)
    share: of that and of all interactions with others (total index)
    alone_low, alone_high, share_low, share_high: 95 % intervals
    rank: 1 for the highest share; rank_low, rank_high: 95 % interval
    """

    path: str
    label: str
    alone: float
    alone_low: float
    alone_high: float
    share: float
    share_low: float
    share_high: float
    rank: int
    rank_low: int
    rank_high: int

    @property
    def significant(self) -> bool:
        """Whether the whole interval of the share lies above `NEGLIGIBLE_SHARE`."""
        return self.share_low > NEGLIGIBLE_SHARE

    def describe(self) -> str:
        """The share in per cent: `lr 41 % [30, 52]`."""
        low, high = 100 * self.share_low, 100 * self.share_high
        return f"{self.label} {100 * self.share:.0f} % [{low:.0f}, {high:.0f}]"


@dataclass(frozen=True)
class PairShare:
    """Part of the variance of results by two parameters jointly, with its 95 % interval."""

    paths: tuple[str, str]
    labels: tuple[str, str]
    share: float
    low: float
    high: float

    @property
    def significant(self) -> bool:
        """Whether the whole interval lies above `NEGLIGIBLE_SHARE`."""
        return self.low > NEGLIGIBLE_SHARE


@dataclass(frozen=True)
class VariancePart:
    """A named part of the variance of results, with its 95 % interval."""

    name: str
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Importance:
    """Which parameters matter, and how sure that is.

    The `alone` of all shares, the interactions and the unexplained part add up to 1.

    shares: highest first; pairs: highest first; both empty where nothing could be fitted
    interactions: by several parameters jointly; unexplained: by none: seeds, and what the surrogate
    misses
    trials: how many it rests on; r2: cross-validated R2, NaN where nothing was fitted
    refusal: why the parameters are not ranked; empty if they are
    effective: effective sample size of trials that are not spread evenly; None if they are
    """

    shares: tuple[SobolShare, ...]
    pairs: tuple[PairShare, ...]
    interactions: VariancePart | None
    unexplained: VariancePart | None
    trials: int
    r2: float
    refusal: str
    effective: float | None = None

    @property
    def ranked(self) -> bool:
        """Whether the shares may be relied on."""
        return not self.refusal

    @property
    def significant_shares(self) -> tuple[SobolShare, ...]:
        """The parameters that have an effect; none if the parameters are not ranked."""
        return tuple(s for s in self.shares if s.significant) if self.ranked else ()

    @property
    def parts(self) -> tuple[VariancePart, ...]:
        """Every part of the variance, which add up to 1; empty where nothing was fitted."""
        if self.interactions is None or self.unexplained is None:
            return ()
        alone = [VariancePart(s.label, s.alone, s.alone_low, s.alone_high) for s in self.shares]
        return (*alone, self.interactions, self.unexplained)

    def table(self) -> pd.DataFrame:
        """A row for each parameter: the fields of `SobolShare`, and `significant`."""
        rows = [{**asdict(s), "significant": s.significant} for s in self.shares]
        return pd.DataFrame(rows)
