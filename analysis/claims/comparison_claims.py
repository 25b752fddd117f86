"""Claims on several studies."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.claims.across_claims import list_breaking_across_claims, list_level_claims
from analysis.claims.answers_across import list_answers_across
from analysis.claims.claim import Claim
from analysis.claims.wording import capitalize, format_part, name_compared, name_variance
from analysis.findings.comparison import ComparedParameter, Comparison


def list_comparison_claims(comparison: Comparison) -> tuple[Claim, ...]:
    """The five answers, what breaks, pooled shares and disagreements, studies that rank nothing."""
    return tuple(_list_claims(comparison))


def _list_claims(comparison: Comparison) -> Iterator[Claim]:
    yield from list_answers_across(comparison)
    if comparison.breaking is not None:
        yield from list_breaking_across_claims(comparison.breaking)
        yield from list_level_claims(comparison.breaking, comparison.levels)
    for name, reason in comparison.unranked.items():
        text = f"{name} ranks no parameters: {reason}"
        yield Claim("not_ranked", (), None, None, None, "", 0, None, name, text)
    for compared in comparison.parameters:
        yield from _pool(comparison, compared)
        for first, second in compared.disagreeing:
            yield _disagree(compared, first, second)


def _pool(comparison: Comparison, compared: ComparedParameter) -> Iterator[Claim]:
    """The mean over studies, if two of them rank the parameter and it has an effect in one."""
    pooled, count, native = compared.pooled, len(compared.shares), comparison.is_native
    if pooled is None or not any(share.significant for share in compared.shares.values()):
        return
    low, high = max(pooled.low, 0.0), min(pooled.high, 1.0)
    ahead = max(pooled.predicted_low, 0.0), min(pooled.predicted_high, 1.0)
    text = (
        f"{capitalize(compared.label) if native else compared.label}: "
        f"{format_part(pooled.mean, low, high)} of {name_variance(comparison.metric, native)} "
        f"on average over studies like these {count}; in one more of them between "
        f"{100 * ahead[0]:.0f} and {100 * ahead[1]:.0f} %."
    )
    yield Claim(
        "pooled_share", (compared.path,), pooled.mean, low, high, "fraction", count, 0.95,
        "mean of studies of which these are a sample (random effects); "
        f"{name_compared(native)}", text,
    )  # fmt: skip


def _disagree(compared: ComparedParameter, first: str, second: str) -> Claim:
    a, b = compared.shares[first], compared.shares[second]
    text = (
        f"{first} and {second} differ in the share of {compared.label}: "
        f"{format_part(a.share, a.share_low, a.share_high)} against "
        f"{format_part(b.share, b.share_low, b.share_high)}."
    )
    return Claim(
        "disagreement", (compared.path,), a.share - b.share, None, None, "fraction", 2, 0.95,
        "significant with Holm's correction for all pairs of studies", text,
    )  # fmt: skip
