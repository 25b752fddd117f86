"""What could be said about which parameters matter, each number with its interval."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import pandas as pd


@dataclass(frozen=True)
class SobolShare:
    """One parameter's part of a result's variance over the prior, between 0 and 1.

    first: what it moves alone; total: what it moves alone and together with others.
    low, high: 95 % interval; null: what the largest of all parameters' totals stays below in 95 %
    of shuffles.
    rank: 1 for the highest total; rank_low, rank_high: its 95 % interval.
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
        return self.total > self.null


@dataclass(frozen=True)
class PairShare:
    """What two parameters move together and neither alone, as a share of the variance.

    null: what the largest of all pairs stays below in 95 % of shuffles
    """

    paths: tuple[str, str]
    labels: tuple[str, str]
    share: float
    low: float
    high: float
    null: float

    @property
    def significant(self) -> bool:
        return self.share > self.null


@dataclass(frozen=True)
class Importance:
    """What could be said about which parameters matter, and how sure it is.

    shares: highest total first, pairs: highest first; both empty where no surrogate could be
    fitted. r2: cross-validated, for each surrogate tried; `surrogate` names the one used.
    refusal: why nothing is ranked; empty where the ranking stands.
    """

    shares: tuple[SobolShare, ...]
    pairs: tuple[PairShare, ...]
    trials: int
    surrogate: str
    r2: dict[str, float]
    refusal: str

    @property
    def ranked(self) -> bool:
        return not self.refusal

    @property
    def best_r2(self) -> float:
        return self.r2.get(self.surrogate, float("nan"))

    @property
    def significant_shares(self) -> tuple[SobolShare, ...]:
        """The parameters that move the result more than chance; none where nothing is ranked."""
        return tuple(s for s in self.shares if s.significant) if self.ranked else ()

    def table(self) -> pd.DataFrame:
        """A row a parameter: `Share`'s columns and whether it is beyond chance."""
        rows = [{**asdict(s), "significant": s.significant} for s in self.shares]
        return pd.DataFrame(rows)

    def headline(self, count: int = 3) -> str:
        """The most important parameters with their intervals in one sentence, or the refusal."""
        if self.refusal:
            return f"No ranking: {self.refusal}"
        if not self.significant_shares:
            return "No parameter's share of the variance of the final PSNR stands beyond chance."
        shares = "; ".join(
            f"{s.label} {s.total:.0%} [{s.total_low:.0%}, {s.total_high:.0%}]"
            for s in self.significant_shares[:count]
        )
        return f"What moves the final PSNR most (share of its variance): {shares}."
