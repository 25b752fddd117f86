"""Result objects of the Sobol' analysis: shares of the variance, each with its interval."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import pandas as pd


@dataclass(frozen=True)
class SobolShare:
    """Sobol' indices of one parameter: its shares of the variance of the result, in [0, 1].

    first: of first order, by this parameter alone; total: alone and in interactions with others
    first_low, first_high, total_low, total_high: their 95 % intervals
    null: the null line, below which the largest total of all parameters stays in 95 % of shuffles
    rank: 1 for the highest total; rank_low, rank_high: its 95 % interval
    """

    path: str
    label: str
    first: float
    first_low: float
    first_high: float
    total: float
    total_low: float
    total_high: float
    null: float
    rank: int
    rank_low: int
    rank_high: int

    @property
    def significant(self) -> bool:
        """Whether the total lies above the null line."""
        return self.total > self.null


@dataclass(frozen=True)
class PairShare:
    """Second-order Sobol' index of two parameters: their interaction's share of the variance.

    low, high: 95 % interval; null: the null line of the largest of all pairs
    """

    paths: tuple[str, str]
    labels: tuple[str, str]
    share: float
    low: float
    high: float
    null: float

    @property
    def significant(self) -> bool:
        """Whether the share lies above the null line."""
        return self.share > self.null


@dataclass(frozen=True)
class Importance:
    """Which parameters matter, and how sure that is.

    shares: highest total first; pairs: highest share first; both empty without a surrogate
    surrogate: the name of the one used; r2: cross-validated R2 of each one tried
    refusal: why the parameters are not ranked; empty if they are
    """

    shares: tuple[SobolShare, ...]
    pairs: tuple[PairShare, ...]
    trials: int
    surrogate: str
    r2: dict[str, float]
    refusal: str

    @property
    def ranked(self) -> bool:
        """Whether the shares may be relied on."""
        return not self.refusal

    @property
    def best_r2(self) -> float:
        """Cross-validated R2 of the surrogate used; NaN without one."""
        return self.r2.get(self.surrogate, float("nan"))

    @property
    def significant_shares(self) -> tuple[SobolShare, ...]:
        """The parameters above the null line; none if the parameters are not ranked."""
        return tuple(s for s in self.shares if s.significant) if self.ranked else ()

    def table(self) -> pd.DataFrame:
        """A row for each parameter: the fields of `SobolShare`, and `significant`."""
        rows = [{**asdict(s), "significant": s.significant} for s in self.shares]
        return pd.DataFrame(rows)

    def headline(self, count: int = 3) -> str:
        """One sentence: the `count` most important parameters with intervals, or the refusal."""
        if self.refusal:
            return f"No ranking: {self.refusal}"
        if not self.significant_shares:
            return "No parameter's share of the variance of the final PSNR is significant."
        shares = "; ".join(
            f"{s.label} {s.total:.0%} [{s.total_low:.0%}, {s.total_high:.0%}]"
            for s in self.significant_shares[:count]
        )
        return f"What moves the final PSNR most (share of its variance): {shares}."
